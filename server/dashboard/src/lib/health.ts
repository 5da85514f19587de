// Health in words: what stands in the first line of the page, before any chart.
import type { Health, Machine } from '../api/operations';
import { formatBytes, formatDuration, formatPercent, plural } from './format';

export type Tone = 'good' | 'watch' | 'bad';

// A number and its sign stay on one line.
export const share = (value: number | null | undefined) =>
  value === null || value === undefined || !Number.isFinite(value)
    ? '–'
    : formatPercent(value, 1).replace(' ', '\u00a0');

export function healthWord(health: Health): { tone: Tone; word: string; text: string } {
  const findings = health.findings;
  if (health.thresholds === 0)
    return {
      tone: 'watch',
      word: 'Not watched',
      text: 'no thresholds are set, so nothing is ever too much.',
    };
  if (findings.length === 0) return { tone: 'good', word: 'Healthy', text: 'nothing is beyond its limits.' };
  const first = findings[0]!;
  const more = findings.length > 1 ? ` And ${plural(findings.length - 1, 'more finding')}.` : '';
  return health.status === 'critical'
    ? { tone: 'bad', word: 'Act now', text: `${first.words}${more}` }
    : { tone: 'watch', word: 'Look at this', text: `${first.words}${more}` };
}

// "Processors 12 %, memory 34 %, / 21 % full; no packet lost; half of the requests within 3 ms."
export function healthSentence(health: Health): string {
  const { machine, pipeline, api } = health;
  const parts: string[] = [];
  if (machine.cpu) parts.push(`processors ${share(machine.cpu.usage)} busy`);
  if (machine.memory) parts.push(`memory ${share(machine.memory.usage)} used`);
  const fullest = [...machine.file_systems]
    .filter((system) => !system.read_only)
    .sort((a, b) => (b.usage ?? 0) - (a.usage ?? 0))[0];
  if (fullest) parts.push(`${fullest.mount_point} ${share(fullest.usage)} full`);
  const hottest = [...machine.temperatures].sort((a, b) => b.celsius - a.celsius)[0];
  if (hottest) parts.push(`${Math.round(hottest.celsius)} °C`);
  const machineText = parts.join(', ');
  const loss = pipeline.loss;
  const lossText =
    loss === undefined ? '' : loss > 0 ? `; ${share(loss)} of the packets lost` : '; no packet lost';
  const apiText =
    api.latest.requests > 0 ? `; half of the requests within ${formatDuration(api.latest.p50_seconds)}` : '';
  const text = `${machineText}${lossText}${apiText}.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function memoryWords(machine: Machine): string {
  const memory = machine.memory;
  if (!memory) return 'not known';
  const used = memory.total_bytes - memory.available_bytes;
  return `${formatBytes(used)} of ${formatBytes(memory.total_bytes)} used`;
}

// Interfaces that somebody could mean: up, or with something counted.
export const usedInterfaces = (machine: Machine) =>
  machine.interfaces.filter(
    (one) =>
      one.state === 'up' || (one.received_bytes_per_second ?? 0) + (one.sent_bytes_per_second ?? 0) > 0,
  );
