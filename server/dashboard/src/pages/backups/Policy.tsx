import { useState } from 'react';
import { getPrunePolicy, pruneBackups, setPrunePolicy } from '../../api/endpoints';
import type { PrunePolicy } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { Loaded, SkeletonLines } from '../../components/States';
import { plural } from '../../lib/format';
import { notify } from '../../state/notices';
import { useQuery } from '../../state/query';

interface Props {
  onClose: () => void;
  onDone: () => void;
}
const kGigabyte = 1e9;
const kCounts = [
  { name: 'last', label: 'Newest backups' },
  { name: 'daily', label: 'Days of which the newest is kept' },
  { name: 'weekly', label: 'Weeks of which the newest is kept' },
  { name: 'monthly', label: 'Months of which the newest is kept' },
] as const;

export function PolicyDialog({ onClose, onDone }: Props) {
  const query = useQuery('backup_policy', getPrunePolicy);
  return (
    <Dialog title="Which backups to keep" onClose={onClose}>
      <p className="dialog-text">
        After each verified backup, those that none of these lines keeps are deleted. With 0 everywhere all
        are kept. The newest verified one always stays.
      </p>
      <Loaded query={query} skeleton={<SkeletonLines count={5} />}>
        {(policy) => <PolicyForm policy={policy} onDone={onDone} />}
      </Loaded>
    </Dialog>
  );
}

function PolicyForm({ policy, onDone }: { policy: PrunePolicy; onDone: () => void }) {
  const [texts, setTexts] = useState({
    last: String(policy.last),
    daily: String(policy.daily),
    weekly: String(policy.weekly),
    monthly: String(policy.monthly),
    gigabytes: policy.max_bytes ? String(policy.max_bytes / kGigabyte) : '0',
  });
  const [plan, setPlan] = useState<{ asked: string; removed: number; kept: number } | null>(null);
  const asked = JSON.stringify(texts);
  const wanted = (): PrunePolicy => ({
    last: Number(texts.last),
    daily: Number(texts.daily),
    weekly: Number(texts.weekly),
    monthly: Number(texts.monthly),
    max_bytes: Math.round(Number(texts.gigabytes) * kGigabyte),
  });
  const check = () => {
    const whole = kCounts.every(({ name }) => /^\d{1,4}$/.test(texts[name]));
    return whole && Number(texts.gigabytes) >= 0 ? null : 'Whole numbers, please; 0 for none.';
  };
  const isShown = plan?.asked === asked;
  const submit = async () => {
    if (!isShown) {
      const { removed, kept } = await pruneBackups(wanted(), true);
      setPlan({ asked, removed: removed.length, kept: kept.length });
      return;
    }
    await setPrunePolicy(wanted());
    const { removed } = await pruneBackups(wanted(), false);
    notify(`Saved; ${plural(removed.length, 'backup')} deleted.`);
    onDone();
  };
  return (
    <Form submit={isShown ? 'Save and delete' : 'Show what would go'} check={check} onSubmit={submit}>
      {kCounts.map(({ name, label }) => (
        <Field
          key={name}
          label={label}
          value={texts[name]}
          onChange={(value) => setTexts({ ...texts, [name]: value })}
        />
      ))}
      <Field
        label="Gigabytes of all, at the most"
        value={texts.gigabytes}
        onChange={(value) => setTexts({ ...texts, gigabytes: value })}
        hint="The oldest go first; 0: no limit"
      />
      {isShown && plan && (
        <p role="status">
          {plural(plan.removed, 'backup')} would be deleted now, {plan.kept} kept.
        </p>
      )}
    </Form>
  );
}
