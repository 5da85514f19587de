import type { Role, User } from '../api/types';
import { Empty } from './States';

// In place of a page that is not for this user. `what`: "The logs are for".
export function NeedsRole({ user, role, what }: { user: User; role: Role; what: string }) {
  return (
    <Empty>
      <p>
        {what} the role <strong>{role}</strong>; you are signed in as {user.username} with the role{' '}
        {user.role}.
      </p>
      <p>Ask an administrator.</p>
    </Empty>
  );
}
