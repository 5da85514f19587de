import { changeDetector, getDetectors } from '../../api/endpoints';
import { toProblem } from '../../api/problem';
import type { DetectorRow, User } from '../../api/types';
import { Segmented } from '../../components/Segmented';
import { Loaded, SkeletonLines } from '../../components/States';
import { capitalised, formatBytes, formatCount, inWords } from '../../lib/format';
import { notify } from '../../state/notices';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';

type Sensitivity = DetectorRow['sensitivity'];
const kChoices: { value: Sensitivity; label: string }[] = [
  { value: 'low', label: 'Low' },
  { value: 'normal', label: 'Normal' },
  { value: 'high', label: 'High' },
];

export function DetectorList({ user }: { user: User }) {
  const query = useQuery('detectors', getDetectors, 10_000);
  const mayAct = may(user, 'admin');
  const change = async (row: DetectorRow, what: { enabled?: boolean; sensitivity?: Sensitivity }) => {
    try {
      await changeDetector(row.name, what);
      query.reload();
    } catch (error) {
      notify(toProblem(error).detail);
    }
  };
  return (
    <>
      <p className="muted list-head">
        {mayAct
          ? 'Changes take effect at once. High sensitivity halves the thresholds, low doubles them.'
          : 'Administrators may turn detectors on and off and set how sensitive they are.'}
      </p>
      <Loaded query={query} skeleton={<SkeletonLines count={4} height={44} />}>
        {(rows) => (
          <ul className="card-list">
            {rows.map((row) => (
              <li key={row.name} className={row.enabled ? '' : 'is-resting'}>
                <div className="card-main">
                  <p className="card-title">
                    <strong>{capitalised(inWords(row.name))}</strong>
                    <span className="muted">
                      {row.running ? 'watches' : row.enabled ? 'waits for traffic' : 'is off'}
                    </span>
                  </p>
                  <p className="muted">
                    {formatBytes(row.memory_bytes)}
                    {row.memory_limit_bytes > 0 && ` of at most ${formatBytes(row.memory_limit_bytes)}`},{' '}
                    {formatCount(row.alerts)} reports, {formatCount(row.evictions)} forgotten for lack of room
                  </p>
                </div>
                <span className="card-actions">
                  {row.has_sensitivity &&
                    (mayAct ? (
                      <Segmented
                        label={`Sensitivity of ${inWords(row.name)}`}
                        value={row.sensitivity}
                        choices={kChoices}
                        onChange={(sensitivity) => void change(row, { sensitivity })}
                      />
                    ) : (
                      <span className="muted">sensitivity {row.sensitivity}</span>
                    ))}
                  {mayAct && (
                    <label className="check">
                      <input
                        type="checkbox"
                        checked={row.enabled}
                        onChange={(event) => void change(row, { enabled: event.target.checked })}
                      />
                      <span>On</span>
                    </label>
                  )}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </>
  );
}
