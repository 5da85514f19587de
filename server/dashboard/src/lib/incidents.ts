// Incidents in words.
import type { IncidentEntry, IncidentLink, IncidentState } from '../api/operations';
import { formatBytes } from './format';
import { absoluteRange, parseTime } from './time';

export const kIncidentStates: IncidentState[] = ['open', 'investigating', 'contained', 'resolved', 'closed'];
export const isUnresolved = (state: IncidentState) => state !== 'resolved' && state !== 'closed';

const kFields: Record<string, string> = {
  title: 'the title',
  description: 'the description',
  severity: 'the severity',
  state: 'the state',
  assignee: 'the assignee',
};

// "changed the state from open to contained"
export function entryInWords(entry: IncidentEntry, links: IncidentLink[] = []): string {
  switch (entry.act) {
    case 'created':
      return 'opened the incident';
    case 'changed': {
      const field = kFields[entry.field] ?? entry.field;
      if (entry.field === 'description') return 'changed the description';
      if (entry.field === 'assignee' && entry.after === '') return `took it from ${entry.before}`;
      if (entry.field === 'assignee') return `gave it to ${entry.after}`;
      return `changed ${field} from ${entry.before} to ${entry.after}`;
    }
    case 'commented':
      return 'said';
    case 'linked':
      return `linked ${linkInWords(entry.text, links)}`;
    case 'unlinked':
      return `removed the link to ${linkInWords(entry.text, links)}`;
    case 'evidence_added':
      return `added ${fileInWords(entry.text)}`;
    case 'evidence_removed':
      return `removed ${fileInWords(entry.text)}`;
    default:
      return entry.act;
  }
}

// An alert that is still linked is better known by what it says than by its number.
function linkInWords(text: string, links: IncidentLink[]): string {
  const link = links.find((one) => one.kind === 'alert' && text === `alert ${one.target}`);
  return link ? `the alert “${alertSummary(link)}”` : text;
}

// "flows.jsonl, 29058 bytes, SHA-256 b3f1…": the digest stands beside the file, and in the title of the entry.
function fileInWords(text: string): string {
  const match = /^(.*), (\d+) bytes, SHA-256 [0-9a-f]{64}$/s.exec(text);
  return match ? `${match[1]}, ${formatBytes(Number(match[2]))}` : text;
}

// Where the flows of a link are to be seen.
export function flowsView(link: IncidentLink) {
  const since = link.since ? parseTime(link.since) : NaN;
  const until = link.until ? parseTime(link.until) : NaN;
  return {
    page: 'explore',
    where: link.target,
    ...(Number.isFinite(since) && Number.isFinite(until) ? { range: absoluteRange(since, until) } : {}),
  };
}

export const alertSummary = (link: IncidentLink): string => {
  const snapshot = link.snapshot as { summary?: unknown } | null;
  return typeof snapshot?.summary === 'string' ? snapshot.summary : link.target;
};
