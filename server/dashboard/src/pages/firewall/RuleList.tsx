import type { Firewall, Rule } from '../../api/firewall';
import { Empty } from '../../components/States';
import { formatCount } from '../../lib/format';

interface Props {
  state: Firewall;
  mayEdit: boolean;
  onEdit: (id: string) => void;
  onRemove: (id: string) => void;
  onMove: (id: string, by: -1 | 1) => void;
}

const kKindWords = {
  shadowed: 'never decides',
  redundant: 'changes nothing',
  unreachable: 'matches nothing',
  never_hit: 'not hit so far',
};

export function RuleList({ state, mayEdit, onEdit, onRemove, onMove }: Props) {
  const { rules } = state.draft;
  if (rules.length === 0) {
    return (
      <Empty>
        <p>There are no rules: everything passes but what is blocked below.</p>
      </Empty>
    );
  }
  const words = new Map(state.words.map((w) => [w.rule_id, w.text]));
  const counters = new Map(state.counters.map((c) => [c.rule_id, c]));
  return (
    <ol className="rule-list">
      {rules.map((rule, at) => {
        const hits = counters.get(rule.id);
        return (
          <li key={rule.id} data-rule={rule.id}>
            <span className="rule-place num">{at + 1}</span>
            <span className={`rule-act verdict-${rule.verdict}`}>{rule.verdict.replace('_', ' ')}</span>
            <span className="rule-words">
              <strong className="mono">{rule.id}</strong> {words.get(rule.id)}
              <Note rule={rule} />
              {state.findings
                .filter((finding) => finding.rule_id === rule.id)
                .map((finding) => (
                  <span key={finding.kind} className={`finding finding-${finding.kind}`} title={finding.text}>
                    {kKindWords[finding.kind]}
                  </span>
                ))}
            </span>
            <span className="rule-hits num">
              {hits ? (
                <>
                  {formatCount(hits.packets)} <span className="muted">packets</span>
                </>
              ) : (
                <span className="muted">not in force</span>
              )}
            </span>
            {mayEdit && (
              <span className="rule-actions">
                <button
                  type="button"
                  className="text-button"
                  disabled={at === 0}
                  aria-label={`Move ${rule.id} up`}
                  onClick={() => onMove(rule.id, -1)}
                >
                  ↑
                </button>
                <button
                  type="button"
                  className="text-button"
                  disabled={at === rules.length - 1}
                  aria-label={`Move ${rule.id} down`}
                  onClick={() => onMove(rule.id, 1)}
                >
                  ↓
                </button>
                <button
                  type="button"
                  className="text-button"
                  aria-label={`Change ${rule.id}`}
                  onClick={() => onEdit(rule.id)}
                >
                  Change…
                </button>
                <button
                  type="button"
                  className="text-button bad"
                  aria-label={`Take out ${rule.id}`}
                  onClick={() => onRemove(rule.id)}
                >
                  Take out…
                </button>
              </span>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function Note({ rule }: { rule: Rule }) {
  const parts = [rule.comment, rule.author && `by ${rule.author}`].filter(Boolean);
  return parts.length > 0 ? <span className="muted rule-note">{parts.join(', ')}</span> : null;
}
