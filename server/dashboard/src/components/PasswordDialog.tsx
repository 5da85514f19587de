import { useState } from 'react';
import { changeOwnPassword } from '../api/endpoints';
import { notify } from '../state/notices';
import { Dialog } from './Dialog';
import { Field, Form } from './Form';

export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  return (
    <Dialog title="Change password" onClose={onClose}>
      <Form
        submit="Change password"
        onSubmit={async () => {
          await changeOwnPassword(current, next);
          notify('Password changed. Your other sessions have ended.');
          onClose();
        }}
        check={() =>
          next !== again
            ? 'The two new passwords differ.'
            : next.length < 12
              ? 'The new password needs at least 12 characters.'
              : null
        }
      >
        <Field
          label="Current password"
          type="password"
          autoComplete="current-password"
          value={current}
          onChange={setCurrent}
          autoFocus
        />
        <Field
          label="New password"
          type="password"
          autoComplete="new-password"
          value={next}
          onChange={setNext}
          hint="12 to 256 characters"
        />
        <Field
          label="New password again"
          type="password"
          autoComplete="new-password"
          value={again}
          onChange={setAgain}
        />
      </Form>
    </Dialog>
  );
}
