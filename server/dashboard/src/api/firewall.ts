import { isAxiosError } from 'axios';
import { client } from './client';

export type Direction = 'in' | 'out' | 'forward';
export type Verdict = 'accept' | 'drop' | 'reject' | 'rate_limit';

export interface Rule {
  id: string;
  direction: Direction;
  verdict: Verdict;
  rate_limit: { packets_per_second: number; burst: number } | null;
  source: string[];
  destination: string[];
  protocol: string | null;
  source_ports: string[];
  destination_ports: string[];
  icmp_types: number[];
  in_interface: string | null;
  out_interface: string | null;
  states: string[];
  log: boolean;
  expires: string | null;
  comment: string;
  author: string;
  allow_wide: boolean;
}

export interface RuleSet {
  rules: Rule[];
  sets: { name: string; kind: string; elements: { prefix: string; expires: string | null }[] }[];
  protected_set: { peers: { prefix: string; role: string }[] };
  defaults: Record<Direction, 'accept' | 'drop'>;
}

export interface Finding {
  kind: 'shadowed' | 'redundant' | 'unreachable' | 'never_hit';
  rule_id: string;
  because_of: string | null;
  text: string;
}

export interface Firewall {
  backend: string;
  note: string;
  version: number;
  draft: RuleSet;
  in_force: RuleSet;
  diff_text: string;
  changed: boolean;
  words: { rule_id: string; text: string }[];
  counters: { rule_id: string; packets: number; bytes: number }[];
  findings: Finding[];
  pending: { deadline: string; seconds_left: number; by: string } | null;
  rolled_back: string | null;
}

interface Count {
  flows: number;
  bytes: number;
}

export interface Rehearsal {
  examined: Count;
  passed: Count;
  cut: Count;
  undecidable: Count;
  elsewhere: Count;
  missing: (Count & { fact: string })[];
  hosts_cut: number;
  hosts_complete: boolean;
  hosts: (Count & { address: string })[];
  services: (Count & { protocol: string; port: number })[];
  rules: { rule_id: string; cut: Count; undecidable: Count }[];
  difference: { newly_cut: Count; newly_passed: Count; unclear: Count } | null;
  sessions: { peer: string; server: string; decision: string; rule_id: string; by_protected_set: boolean }[];
  summary: string;
}

export interface Block {
  id: string;
  address: string;
  since: string;
  until: string | null;
  alert_id: string;
  alert_class: string;
  author: string;
  reason: string;
  effect: {
    packets: number;
    bytes: number;
    packets_per_second_before: number;
    packets_per_second_now: number;
    last_hit: string | null;
  };
}

const kBase = '/api/v1/firewall';
const rulePath = (id: string) => `${kBase}/rules/${encodeURIComponent(id)}`;

export const getFirewall = async (signal?: AbortSignal) =>
  (await client.http.get<Firewall>(`${kBase}/rules`, { signal })).data;
export const addRule = (rule: Partial<Rule>, version: number) =>
  client.http.post(`${kBase}/rules`, { rule, version });
export const replaceRule = (id: string, rule: Partial<Rule>, version: number) =>
  client.http.put(rulePath(id), { rule, version });
export const removeRule = (id: string) => client.http.delete(rulePath(id));
export const orderRules = (ids: string[], version: number) =>
  client.http.put(`${kBase}/order`, { ids, version });
export const discardDraft = () => client.http.delete(`${kBase}/draft`);
// Millions of flows may be gone through.
export const rehearseDraft = async (since: string, role: string) =>
  (await client.http.post<Rehearsal>(`${kBase}/rehearse`, { role }, { params: { since }, timeout: 90_000 }))
    .data;
export const applyDraft = async (password: string, confirm_within_seconds: number) =>
  (await client.http.post<{ token: string }>(`${kBase}/apply`, { password, confirm_within_seconds })).data;
// A browser keeps connections from before the change open and takes any of them; the server closes those it refuses,
// so that sooner or later a new one is asked over.
export async function confirmChange(token: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await client.http.post(`${kBase}/confirm`, { token });
      return;
    } catch (error) {
      const old = isAxiosError(error) && error.response?.data?.old_connection === true;
      if (!old || tries >= 10) throw error;
    }
  }
}
export const rollBackChange = (token: string) => client.http.post(`${kBase}/rollback`, { token });
export const getBlocks = async (signal?: AbortSignal) =>
  (await client.http.get<{ blocks: Block[] }>(`${kBase}/effect`, { signal })).data.blocks;
export const blockAddress = (address: string, seconds: number | undefined, reason: string) =>
  client.http.post(`${kBase}/block`, { address, ...(seconds ? { seconds } : {}), reason });
export const unblockAddress = (address: string) => client.http.post(`${kBase}/unblock`, { address });
