import { isAxiosError } from 'axios';
import { client } from './client';
import type { Job } from './jobs';

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

export interface AddressSet {
  name: string;
  kind: 'hosts' | 'prefixes';
  elements: { prefix: string; expires: string | null }[];
  allow_wide?: boolean;
}

export interface RuleSet {
  rules: Rule[];
  sets: AddressSet[];
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

export interface Scope {
  protocol: string | null;
  port: number | null;
}

export interface Block {
  id: string;
  address: string;
  scope: Scope;
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

export type Policy = 'off' | 'propose' | 'automatic';

export interface Policies {
  policies: Record<string, Policy>;
  classes: { class: string; may_be_automatic: boolean; reason: string }[];
}

export interface Proposal {
  alert_id: string;
  alert_class: string;
  address: string;
  scope: Scope;
  ttl_seconds: number;
  may_be_automatic: boolean;
  reason: string;
  packets_per_second: number;
  // Absent until it has been tried; an error where it could not be.
  rehearsal: Rehearsal | { error: string } | null;
}

export interface BlockWish {
  address?: string;
  seconds?: number;
  reason?: string;
  alert_id?: string;
  protocol?: string;
  port?: number;
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
export const replaceDraft = (set: Pick<RuleSet, 'rules' | 'sets' | 'defaults'>, version: number) =>
  client.http.put(`${kBase}/rules`, { ...set, version });
// Millions of flows may be gone through: a job, that can be followed and stopped.
export const rehearseDraft = async (since: string, role: string) =>
  (await client.http.post<Job<Rehearsal>>(`${kBase}/rehearse`, { role, job: true }, { params: { since } }))
    .data;
export const importTable = async (family: string, table: string) =>
  (await client.http.post<{ rules: RuleSet; unmapped: string[] }>(`${kBase}/import`, { family, table })).data;
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
export const block = async (wish: BlockWish) => (await client.http.post<Block>(`${kBase}/block`, wish)).data;
export const getProposals = async (signal?: AbortSignal) =>
  (await client.http.get<{ proposals: Proposal[] }>(`${kBase}/proposals`, { signal })).data.proposals;
export const acceptProposal = (alert_id: string) => client.http.post(`${kBase}/accept`, { alert_id });
export const dismissProposal = (alert_id: string) => client.http.post(`${kBase}/dismiss`, { alert_id });
export const getPolicies = async (signal?: AbortSignal) =>
  (await client.http.get<Policies>(`${kBase}/policies`, { signal })).data;
export const setPolicies = (policies: Record<string, Policy>) =>
  client.http.put(`${kBase}/policies`, { policies });
export const getAllowList = async (signal?: AbortSignal) =>
  (await client.http.get<{ networks: string[] }>(`${kBase}/allow-list`, { signal })).data.networks;
export const setAllowList = (networks: string[]) => client.http.put(`${kBase}/allow-list`, { networks });
export const unblockAddress = (address: string) => client.http.post(`${kBase}/unblock`, { address });
