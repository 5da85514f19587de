// The filter line shows the parts of a conjunction as pills. This file only cuts and joins text; what a filter
// means, and whether it is valid, is for the server to say.

export interface FieldHelp {
  name: string;
  help: string;
  example: string;
}
export const kFields: FieldHelp[] = [
  { name: 'src', help: 'address that spoke first', example: 'src=10.0.0.0/8' },
  { name: 'dst', help: 'address that was spoken to', example: 'dst=192.0.2.1' },
  { name: 'host', help: 'address on either side', example: 'host=10.0.0.5' },
  { name: 'sport', help: 'source port', example: 'sport>1023' },
  { name: 'dport', help: 'destination port', example: 'dport in (80,443)' },
  { name: 'port', help: 'port on either side', example: 'port=53' },
  { name: 'proto', help: 'tcp, udp, icmp, icmpv6, … or a number', example: 'proto=udp' },
  { name: 'bytes', help: 'bytes on the wire, both ways', example: 'bytes>10M' },
  { name: 'packets', help: 'packets, both ways', example: 'packets>=10' },
  { name: 'duration', help: 'first to last packet, seconds or 5m', example: 'duration>60' },
  { name: 'vlan', help: 'outermost 802.1Q id', example: 'vlan=10' },
  { name: 'app', help: 'application, as in the list of the API', example: 'app=tls' },
  { name: 'category', help: 'what the traffic serves', example: 'category=web' },
  { name: 'server_name', help: 'host name that was asked for', example: 'server_name=www.example.com' },
  { name: 'name', help: 'name of either side, or asked for', example: 'name=*.example.com' },
  { name: 'source_name', help: 'name that the source was known by', example: 'source_name=laptop*' },
  {
    name: 'destination_name',
    help: 'name that the destination was known by',
    example: 'destination_name=nas.lan',
  },
  { name: 'ja4', help: 'fingerprint of the TLS or QUIC client', example: 'ja4=t13d*' },
  { name: 'ja3', help: 'older fingerprint of the TLS client', example: 'ja3=…' },
  { name: 'ja3s', help: 'fingerprint of the TLS server’s answer', example: 'ja3s=…' },
  { name: 'hassh', help: 'fingerprint of the SSH client', example: 'hassh=…' },
  { name: 'hassh_server', help: 'fingerprint of the SSH server', example: 'hassh_server=…' },
  { name: 'evidence', help: 'how the application is known', example: 'evidence!=port' },
  { name: 'end_reason', help: 'why the flow ended', example: 'end_reason=idle_timeout' },
];
export const kOperators = ['=', '!=', '<', '<=', '>', '>=', 'in', 'not in'];
// The fields whose values are words, with those words.
export const kValues: Record<string, string[]> = {
  evidence: ['payload', 'name', 'port', 'none'],
  proto: ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'gre', 'esp'],
  end_reason: ['idle_timeout', 'active_timeout', 'end_of_flow', 'forced_end', 'lack_of_resources'],
};

// `text` in the grammar's words, `length` as written: && is and.
export interface Token {
  text: string;
  length: number;
  start: number;
  kind: 'word' | 'operator' | 'open' | 'close' | 'comma' | 'string';
}

const kSymbols: Record<string, string> = { '&&': 'and', '||': 'or', '!': 'not' };

export function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern =
    /\s+|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|&&|\|\||[()]|,|==|!=|<>|<=|>=|[=<>!]|[^\s()=<>!,"'&|]+|./g;
  for (const match of text.matchAll(pattern)) {
    const piece = match[0];
    if (/^\s/.test(piece)) continue;
    const kind =
      piece === '('
        ? 'open'
        : piece === ')'
          ? 'close'
          : piece === ','
            ? 'comma'
            : /^["']/.test(piece)
              ? 'string'
              : /^(==?|!=|<>|<=?|>=?)$/.test(piece)
                ? 'operator'
                : 'word';
    tokens.push({ text: kSymbols[piece] ?? piece, length: piece.length, start: match.index, kind });
  }
  return tokens;
}

function splitAtTop(text: string, keyword: string): string[] {
  const pieces: string[] = [];
  let depth = 0;
  let start = 0;
  for (const token of tokenise(text)) {
    if (token.kind === 'open') depth += 1;
    if (token.kind === 'close') depth -= 1;
    if (depth === 0 && token.kind === 'word' && token.text.toLowerCase() === keyword) {
      pieces.push(text.slice(start, token.start));
      start = token.start + token.length;
    }
  }
  pieces.push(text.slice(start));
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== '');
}

// "a and (b or c) and not d" -> three pills; "a or b" -> one.
export function toPills(where: string): string[] {
  const text = where.trim();
  if (!text) return [];
  return splitAtTop(text, 'or').length > 1 ? [text] : splitAtTop(text, 'and');
}

export function fromPills(pills: string[]): string {
  const kept = pills.map((pill) => pill.trim()).filter((pill) => pill !== '');
  if (kept.length < 2) return kept[0] ?? '';
  return kept.map((pill) => (splitAtTop(pill, 'or').length > 1 ? `(${pill})` : pill)).join(' and ');
}

const comparable = (pill: string) =>
  tokenise(pill)
    .map((token) => token.text.toLowerCase())
    .join(' ');

// A pill that is there already goes away, so that a second click undoes the first; its opposite gives way to it.
export function addPill(where: string, pill: string): string {
  const pills = toPills(where);
  const same = comparable(pill);
  const opposite = comparable(negate(pill));
  const others = pills.filter((known) => comparable(known) !== same && comparable(known) !== opposite);
  const wasThere = pills.some((known) => comparable(known) === same);
  return fromPills(wasThere ? others : [...others, ...toPills(pill)]);
}

export const removePill = (where: string, index: number) =>
  fromPills(toPills(where).filter((_, i) => i !== index));

export function negate(pill: string): string {
  const match = /^(?:not\s+|!\s*)(.*)$/is.exec(pill.trim());
  if (match) return match[1]!;
  return splitAtTop(pill, 'or').length > 1 ? `not (${pill})` : `not ${pill}`;
}
export const isNegated = (pill: string) =>
  /^(not\s|!)/i.test(pill) || /^[a-z_]+\s*(!=|<>|not\s+in)/i.test(pill);

// Values come from packets and rules: quote all that the grammar could read as something else.
export function literal(value: string | number): string {
  const text = String(value);
  if (/^[A-Za-z0-9_.:/-]+$/.test(text) && !/^(and|or|not|in)$/i.test(text)) return text;
  return `"${text.replace(/[\\"]/g, (c) => `\\${c}`)}"`;
}
export const clause = (field: string, value: string | number) => `${field}=${literal(value)}`;

// /series knows one address and nothing else: a filter that is just that can be drawn.
export function onlyAddress(where: string): string | null {
  const match = /^host\s*=\s*([0-9a-f.:]+)$/i.exec(where.trim());
  return match ? match[1]! : null;
}

export interface Completion {
  insert: string;
  label: string;
  help: string;
  from: number;
}

function operators(field: string, from: number): Completion[] {
  return kOperators.map((operator) => {
    const text = operator.endsWith('in') ? `${field ? ' ' : ''}${operator} (` : operator;
    return { label: field + text, help: '', insert: field + text, from };
  });
}

// Where a byte of the UTF-8 text lies among the characters of the string.
export function characterAt(text: string, byte: number): number {
  const bytes = new TextEncoder().encode(text).slice(0, byte);
  return new TextDecoder().decode(bytes).length;
}

// What could stand at the caret: a field, an operator, a protocol, or a joining word.
export function complete(text: string, caret: number, values = kValues): Completion[] {
  const before = tokenise(text.slice(0, caret));
  const last = before[before.length - 1];
  const touching = last !== undefined && last.start + last.length === caret && last.kind === 'word';
  const prefix = touching ? last.text.toLowerCase() : '';
  const from = touching ? last.start : caret;
  const previous = touching ? before[before.length - 2] : last;
  const matching = (list: { label: string; help: string; insert: string }[]) =>
    list
      .filter((item) => item.label.startsWith(prefix) && item.label !== prefix)
      .map((item) => ({ ...item, from }));
  const fields = kFields.map((field) => ({ label: field.name, help: field.help, insert: field.name }));
  const field = previous && kFields.find((known) => known.name === previous.text.toLowerCase());
  if (
    !previous ||
    (previous.kind === 'word' && /^(and|or|not)$/i.test(previous.text)) ||
    (previous.kind === 'open' && before[before.indexOf(previous) - 1]?.text.toLowerCase() !== 'in')
  ) {
    const exact = kFields.some((known) => known.name === prefix);
    if (exact) {
      return operators(prefix, from);
    }
    return matching([...fields, { label: 'not', help: 'all but the following', insert: 'not ' }]);
  }
  if (field && !touching) return operators('', from);
  if (previous.kind === 'operator') {
    const subject = before[before.indexOf(previous) - 1]?.text.toLowerCase();
    return matching((values[subject ?? ''] ?? []).map((v) => ({ label: v, help: '', insert: v })));
  }
  if (touching && (previous.kind === 'word' || previous.kind === 'close') && prefix.length > 0) {
    return matching([
      { label: 'and', help: 'both hold', insert: 'and ' },
      { label: 'or', help: 'either holds', insert: 'or ' },
    ]);
  }
  return [];
}
