import { useEffect, useId, useState } from 'react';
import { changeRule, checkRule, createRule } from '../../api/endpoints';
import { isAbort } from '../../api/problem';
import type { AlertRule, RuleCheck, Severity as Level } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { kSeverities } from '../../components/Severity';
import { underline } from '../../lib/ruleMistake';
import { DryRun } from './DryRun';

const kPause = 250;

// What the server says of the text, a moment after the last key.
function useCheck(expression: string): RuleCheck | null {
  const [check, setCheck] = useState<RuleCheck | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    const timer = setTimeout(() => {
      checkRule(expression, controller.signal).then(setCheck, (error: unknown) => {
        if (!isAbort(error)) setCheck(null);
      });
    }, kPause);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [expression]);
  return check;
}

interface Props {
  rule: AlertRule | null;
  onClose: () => void;
  onDone: (text: string) => void;
}

export function RuleDialog({ rule, onClose, onDone }: Props) {
  const id = useId();
  const [title, setTitle] = useState(rule?.title ?? '');
  const [expression, setExpression] = useState(
    rule?.expression ?? 'count() > 100 per source_address in 60s where dport=22',
  );
  const [severity, setSeverity] = useState<Level>(rule?.severity ?? 'medium');
  const [hold, setHold] = useState(String(rule?.hold_seconds ?? 300));
  const check = useCheck(expression);
  const mistake = check && !check.valid ? underline(expression, check.position) : null;
  const save = async () => {
    const body = {
      title: title.trim(),
      expression,
      severity,
      enabled: rule?.enabled ?? true,
      close_below: rule?.close_below ?? 0.5,
      hold_seconds: Number(hold),
    };
    await (rule ? changeRule(rule.id, body) : createRule(body));
    onDone(`${rule ? 'Changed' : 'Created'} ${body.title}; it watches from now on.`);
  };
  return (
    <Dialog title={rule ? `Change ${rule.title}` : 'New alert rule'} onClose={onClose}>
      <Form
        submit={rule ? 'Save' : 'Create'}
        onSubmit={save}
        check={() => {
          if (check && !check.valid) return `The rule is not right yet: ${check.message}.`;
          const seconds = Number(hold);
          return Number.isFinite(seconds) && seconds >= 0 && seconds <= 604_800
            ? null
            : 'The time to stay quiet is 0 to 604800 seconds.';
        }}
      >
        <Field label="Title" value={title} onChange={setTitle} autoFocus hint="what an alert begins with" />
        <div className="field">
          <label htmlFor={`${id}-rule`}>Rule</label>
          <textarea
            id={`${id}-rule`}
            className="mono rule-text"
            rows={3}
            spellCheck={false}
            required
            maxLength={4096}
            value={expression}
            aria-invalid={mistake !== null}
            aria-describedby={`${id}-verdict`}
            onChange={(event) => setExpression(event.target.value)}
          />
          <div id={`${id}-verdict`} className="rule-verdict" role="status">
            {mistake && check && !check.valid ? (
              <>
                <pre className="mono" aria-hidden="true">{`${mistake.line}\n${mistake.mark}`}</pre>
                <p className="bad">{check.message}</p>
              </>
            ) : check?.valid ? (
              <p className="muted">
                Compares {check.unit};{' '}
                {check.counts_at_start
                  ? 'counts each flow as it begins'
                  : 'counts flows when their records close'}
                .
              </p>
            ) : (
              <p className="muted">…</p>
            )}
          </div>
          <details className="rule-help">
            <summary>How rules are written</summary>
            <p>
              <code>count()</code>, <code>sum(bytes)</code>, <code>sum(packets)</code>,{' '}
              <code>distinct(field)</code>, <code>rate(bytes)</code>, then <code>&gt;</code> or{' '}
              <code>&gt;=</code> and a number (10k, 2M, 1G), <code>per</code> up to two fields,{' '}
              <code>in</code> a window (60s, 5m, 1h; <code>tumbling</code> for whole ones), and{' '}
              <code>where</code> a filter as everywhere.
            </p>
            <p>
              Fields: source_address, destination_address, source_port, destination_port, protocol, vlan,
              application, server_name.
            </p>
          </details>
        </div>
        <div className="field-row">
          <div className="field">
            <label htmlFor={`${id}-severity`}>Severity</label>
            <select
              id={`${id}-severity`}
              className="select"
              value={severity}
              onChange={(event) => setSeverity(event.target.value as Level)}
            >
              {kSeverities.map((level) => (
                <option key={level} value={level}>
                  {level}
                </option>
              ))}
            </select>
          </div>
          <Field label="Quiet before it closes (s)" type="number" value={hold} onChange={setHold} />
        </div>
        <DryRun
          expression={expression}
          before={rule && rule.expression !== expression ? rule.expression : null}
          ready={check?.valid === true}
          onThreshold={(threshold) =>
            setExpression(expression.replace(/(>=?)\s*[0-9.]+(e[0-9]+)?[kmgt]?/i, `$1 ${threshold}`))
          }
        />
      </Form>
    </Dialog>
  );
}
