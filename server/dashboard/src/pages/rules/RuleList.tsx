import { useState } from 'react';
import { changeRule, deleteRule, getRules } from '../../api/endpoints';
import type { AlertRule, User } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Form } from '../../components/Form';
import { Icon } from '../../components/Icon';
import { Severity } from '../../components/Severity';
import { Empty, Loaded, SkeletonLines } from '../../components/States';
import { notify, notifyProblem } from '../../state/notices';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';
import { useExtra } from '../../state/view';
import { RuleDialog } from './RuleDialog';

type Act = { kind: 'edit'; rule: AlertRule | null } | { kind: 'delete'; rule: AlertRule };

// A link from elsewhere may say the rule, or the detector that it is.
const isNamed = (rule: AlertRule, name: string) =>
  name !== '' && (rule.id === name || `rule:${rule.id}` === name || rule.title === name);

export function RuleList({ user }: { user: User }) {
  const query = useQuery('alert-rules', getRules);
  const [act, setAct] = useState<Act | null>(null);
  const [named] = useExtra('rule');
  const mayAct = may(user, 'operator');
  const done = (text: string) => {
    notify(text);
    setAct(null);
    query.reload();
  };
  const toggle = async (rule: AlertRule) => {
    try {
      await changeRule(rule.id, { ...pick(rule), enabled: !rule.enabled });
      done(rule.enabled ? `${rule.title} rests.` : `${rule.title} watches again.`);
    } catch (error) {
      notifyProblem(error);
    }
  };
  return (
    <>
      <div className="list-head">
        <p className="muted">
          Each rule watches the traffic as it comes. Try it on recorded flows before you save it.
        </p>
        {mayAct && (
          <button
            type="button"
            className="button button-primary"
            onClick={() => setAct({ kind: 'edit', rule: null })}
          >
            <Icon name="plus" />
            New rule
          </button>
        )}
      </div>
      <Loaded query={query} skeleton={<SkeletonLines count={4} height={44} />}>
        {(rules) =>
          rules.length === 0 ? (
            <Empty>
              <p>There are no rules of your own yet.</p>
              <p>
                One looks like this: <code>count() &gt; 100 per source_address in 60s where dport=22</code>
              </p>
              {!mayAct && <p>Operators may write them; you are a viewer.</p>}
            </Empty>
          ) : (
            <ul className="card-list">
              {rules.map((rule) => (
                <li
                  key={rule.id}
                  className={`${rule.enabled ? '' : 'is-resting'} ${isNamed(rule, named) ? 'is-named' : ''}`}
                  ref={(item) => {
                    if (item && isNamed(rule, named)) item.scrollIntoView({ block: 'nearest' });
                  }}
                >
                  <div className="card-main">
                    <p className="card-title">
                      <strong>{rule.title}</strong> <Severity level={rule.severity} />
                      {!rule.enabled && <span className="muted">rests</span>}
                    </p>
                    <code className="wrap">{rule.expression}</code>
                    <p className="muted">
                      {rule.counts_at_start
                        ? 'Counts each flow as it begins.'
                        : 'Counts a flow when its record closes.'}{' '}
                      Written by {rule.author || 'nobody known'}.
                    </p>
                  </div>
                  {mayAct && (
                    <span className="card-actions">
                      <button type="button" className="text-button" onClick={() => void toggle(rule)}>
                        {rule.enabled ? 'Let it rest' : 'Turn on'}
                      </button>
                      <button
                        type="button"
                        className="text-button"
                        aria-label={`Change ${rule.title}`}
                        onClick={() => setAct({ kind: 'edit', rule })}
                      >
                        Change…
                      </button>
                      <button
                        type="button"
                        className="text-button bad"
                        aria-label={`Delete ${rule.title}`}
                        onClick={() => setAct({ kind: 'delete', rule })}
                      >
                        Delete…
                      </button>
                    </span>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {act?.kind === 'edit' && <RuleDialog rule={act.rule} onClose={() => setAct(null)} onDone={done} />}
      {act?.kind === 'delete' && (
        <Dialog title={`Delete the rule ${act.rule.title}?`} onClose={() => setAct(null)}>
          <p className="dialog-text">Its open alerts close; those of the past stay.</p>
          <Form
            submit={`Delete ${act.rule.title}`}
            danger
            onSubmit={async () => {
              await deleteRule(act.rule.id);
              done(`Deleted ${act.rule.title}.`);
            }}
          >
            {null}
          </Form>
        </Dialog>
      )}
    </>
  );
}

const pick = (rule: AlertRule) => ({
  title: rule.title,
  expression: rule.expression,
  severity: rule.severity,
  enabled: rule.enabled,
  close_below: rule.close_below,
  hold_seconds: rule.hold_seconds,
});
