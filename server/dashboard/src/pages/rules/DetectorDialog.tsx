import { useState } from 'react';
import { changeDetector } from '../../api/endpoints';
import type { DetectorOption, DetectorRow } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Form } from '../../components/Form';
import { changesOf, defaultInWords, isList, toDraft, unitOf } from '../../lib/detectorOptions';
import { alertClassName, capitalised, detectorName } from '../../lib/format';

interface Props {
  row: DetectorRow;
  onClose: () => void;
  onDone: () => void;
}

// Every option that the detector has; the server says which, and in what bounds.
export function DetectorDialog({ row, onClose, onDone }: Props) {
  const [drafts, setDrafts] = useState<Record<string, string>>(() =>
    Object.fromEntries(row.options.map((option) => [option.name, toDraft(option.value)])),
  );
  const set = (name: string, draft: string) => setDrafts((old) => ({ ...old, [name]: draft }));
  return (
    <Dialog title={`Settings of ${detectorName(row.name)}`} onClose={onClose}>
      <p className="dialog-text muted">
        {row.has_sensitivity
          ? 'The sensitivity moves the thresholds marked ↕; a value that you set yourself goes before it.'
          : 'What is forbidden here is forbidden at every sensitivity.'}
      </p>
      <Form
        submit="Save"
        check={() => {
          const changes = changesOf(row.options, drafts);
          if ('wrong' in changes && typeof changes.wrong === 'string') return capitalised(changes.wrong);
          return Object.keys(changes).length > 0 ? null : 'Nothing has been changed.';
        }}
        onSubmit={async () => {
          const changes = changesOf(row.options, drafts);
          if ('wrong' in changes) return;
          await changeDetector(row.name, { options: changes });
          onDone();
        }}
      >
        <div className="option-list">
          {row.options.map((option) => (
            <OptionField
              key={option.name}
              option={option}
              draft={drafts[option.name] ?? ''}
              onChange={(draft) => set(option.name, draft)}
            />
          ))}
        </div>
      </Form>
    </Dialog>
  );
}

interface FieldProps {
  option: DetectorOption;
  draft: string;
  onChange: (draft: string) => void;
}

function OptionField({ option, draft, onChange }: FieldProps) {
  const id = `option-${option.name}`;
  const changed = draft.trim() !== toDraft(option.default);
  const unit = unitOf(option);
  return (
    <div className="option-row">
      <label htmlFor={id}>
        {alertClassName(option.name)}
        {option.is_scaled && (
          <span className="muted" title="the sensitivity moves it">
            {' '}
            ↕
          </span>
        )}
      </label>
      <span className="option-value">
        {option.kind === 'flag' ? (
          <input
            id={id}
            type="checkbox"
            checked={draft === 'true'}
            onChange={(event) => onChange(String(event.target.checked))}
          />
        ) : isList(option) ? (
          <textarea
            id={id}
            className="mono"
            rows={Math.min(6, Math.max(2, draft.split('\n').length))}
            spellCheck={false}
            value={draft}
            onChange={(event) => onChange(event.target.value)}
          />
        ) : (
          <input
            id={id}
            inputMode="decimal"
            value={draft}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
        {unit && <span className="muted">{unit}</span>}
      </span>
      <span className="hint">
        {capitalised(option.about)}.{' '}
        {changed && (
          <button type="button" className="text-button" onClick={() => onChange(toDraft(option.default))}>
            Back to {defaultInWords(option)}
          </button>
        )}
      </span>
    </div>
  );
}
