import type { AuditRecord, AuditReport } from '../api/types';

export const kWholeTrail: Record<AuditReport['completeness'], string> = {
  complete: 'None was cut off.',
  incomplete: 'Records are missing.',
  unknown: 'Whether records were cut off cannot be told without a checkpoint.',
};

// An act has two records: what was asked for, and its outcome. Where both are here they are shown as one.
export function joinOutcomes(records: AuditRecord[]): AuditRecord[] {
  const bySequence = new Map(records.map((record) => [record.sequence, record]));
  const ended = new Set(records.map((record) => record.about).filter((about) => about !== null));
  return records
    .filter((record) => record.outcome !== 'begun' || !ended.has(record.sequence))
    .map((record) => {
      const begun = record.about === null ? undefined : bySequence.get(record.about);
      return begun ? { ...record, details: { ...begun.details, ...record.details } } : record;
    });
}
