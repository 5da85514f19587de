import type { User } from '../api/types';
import { Segmented } from '../components/Segmented';
import { useExtra } from '../state/view';
import { Backtest } from './rules/Backtest';
import { DetectorList } from './rules/DetectorList';
import { RuleList } from './rules/RuleList';
import { SuppressionList } from './rules/SuppressionList';

type Part = 'rules' | 'suppressions' | 'detectors' | 'backtest';
const kParts: { value: Part; label: string }[] = [
  { value: 'rules', label: 'Alert rules' },
  { value: 'suppressions', label: 'Suppressions' },
  { value: 'detectors', label: 'Detectors' },
  { value: 'backtest', label: 'Backtest' },
];

export function Rules({ user }: { user: User }) {
  const [name, setPart] = useExtra('part', 'rules');
  const part = kParts.find((one) => one.value === name)?.value ?? 'rules';
  return (
    <div className="narrow wide-narrow">
      <div className="explore-head">
        <h1 className="page-title">Rules</h1>
        <Segmented label="Which part" value={part} choices={kParts} onChange={setPart} />
      </div>
      {part === 'rules' && <RuleList user={user} />}
      {part === 'suppressions' && <SuppressionList user={user} />}
      {part === 'detectors' && <DetectorList user={user} />}
      {part === 'backtest' && <Backtest user={user} />}
    </div>
  );
}
