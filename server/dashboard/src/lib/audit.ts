import type { AuditRecord, AuditReport } from '../api/types';

export const kWholeTrail: Record<AuditReport['completeness'], string> = {
  complete: 'None was cut off.',
  incomplete: 'Records are missing.',
  unknown: 'Whether records were cut off cannot be told without a checkpoint.',
};

// An act has two records: one before it, one about its outcome. Where both are here, the first has nothing to add.
export function joinOutcomes(records: AuditRecord[]): AuditRecord[] {
  const ended = new Set(records.map((record) => record.about).filter((about) => about !== null));
  return records.filter((record) => record.outcome !== 'begun' || !ended.has(record.sequence));
}
