// The grammar of docs/filters.md, enough of it to develop against: comparisons, in (..), and, or, not, parentheses. Returns a
// predicate over flows, or throws {position, message}.

const kFields = {
  src: (f) => [f.source_address],
  dst: (f) => [f.destination_address],
  host: (f) => [f.source_address, f.destination_address],
  sport: (f) => [f.source_port],
  dport: (f) => [f.destination_port],
  port: (f) => [f.source_port, f.destination_port],
  proto: (f) => [f.protocol],
  bytes: (f) => [f.forward_wire_bytes + f.reverse_wire_bytes],
  packets: (f) => [f.forward_packets + f.reverse_packets],
  duration: (f) => [(Date.parse(f.last_seen) - Date.parse(f.first_seen)) / 1000],
  vlan: (f) => [f.vlan],
  end_reason: (f) => [f.end_reason],
  app: (f) => [f.application ?? 'unknown'],
  category: (f) => [f.category ?? 'unknown'],
};
const kTexts = [
  'server_name',
  'source_name',
  'destination_name',
  'ja3',
  'ja3s',
  'ja4',
  'hassh',
  'hassh_server',
];
for (const name of kTexts) kFields[name] = (f) => [f.metadata?.[name] ?? ''];
kFields.name = (f) => kTexts.slice(0, 3).map((text) => f.metadata?.[text] ?? '');
const kWords = new Set(['end_reason', 'app', 'category', 'name', ...kTexts]);
const kAddress = new Set(['src', 'dst', 'host']);
const kProtocols = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 };

class FilterError extends Error {
  constructor(message, position) {
    super(message);
    this.position = position;
  }
}

function prefixBits(text, position) {
  const [address, length] = text.split('/');
  const octets = address.split('.');
  if (octets.length === 4 && octets.every((o) => /^\d{1,3}$/.test(o) && Number(o) < 256)) {
    const bits = octets.map((o) => Number(o).toString(2).padStart(8, '0')).join('');
    return `4${bits.slice(0, length === undefined ? 32 : Number(length))}`;
  }
  if (/^[0-9a-f:]+$/i.test(address) && address.includes(':')) {
    const [head, tail] = address.split('::');
    const left = head ? head.split(':') : [];
    const right = tail ? tail.split(':') : [];
    const middle = address.includes('::') ? new Array(8 - left.length - right.length).fill('0') : [];
    const bits = [...left, ...middle, ...right]
      .map((g) => parseInt(g, 16).toString(2).padStart(16, '0'))
      .join('');
    return `6${bits.slice(0, length === undefined ? 128 : Number(length))}`;
  }
  throw new FilterError(`"${text}" is not an address or prefix`, position);
}

function tokens(text) {
  const found = [];
  for (const m of text.matchAll(/\s+|"(?:[^"\\]|\\.)*"|[()]|,|!=|<=|>=|[=<>]|[^\s()=<>!,"]+|./g)) {
    if (m[0].trim() !== '') found.push({ text: m[0], at: m.index });
  }
  return found;
}

export function compileFilter(text) {
  if (!text || text.trim() === '') return () => true;
  const list = tokens(text);
  let i = 0;
  const peek = () => list[i]?.text.toLowerCase();
  const fail = (message) => {
    throw new FilterError(message, list[i]?.at ?? text.length);
  };

  const value = (field) => {
    const token = list[i];
    if (!token) fail('a value is missing');
    const raw = token.text.replace(/^"|"$/g, '').replace(/\\(["\\])/g, '$1');
    let match;
    if (kAddress.has(field)) {
      const bits = prefixBits(raw, token.at);
      match = (v) => prefixBits(v, 0).startsWith(bits);
      match.order = NaN;
    } else if (kWords.has(field)) {
      match = (v) => v === raw;
      match.order = NaN;
    } else {
      const number = field === 'proto' && kProtocols[raw] ? kProtocols[raw] : Number(raw);
      if (Number.isNaN(number)) fail(`"${raw}" is not a number`);
      match = (v) => v === number;
      match.order = number;
    }
    i += 1;
    return match;
  };

  const comparison = () => {
    const field = peek();
    if (field === undefined) fail('a comparison is missing');
    if (!kFields[field]) fail(`unknown field "${list[i].text}"; known: ${Object.keys(kFields).join(', ')}`);
    i += 1;
    const operator = peek();
    if (operator === 'in') {
      i += 1;
      if (peek() !== '(') fail('"(" is missing after in');
      const options = [];
      do {
        i += 1;
        options.push(value(field));
      } while (peek() === ',');
      if (peek() !== ')') fail('")" is missing');
      i += 1;
      return (f) => kFields[field](f).some((v) => options.some((match) => match(v)));
    }
    if (!['=', '!=', '<', '<=', '>', '>='].includes(operator))
      fail(`an operator is missing after "${field}"`);
    i += 1;
    const match = value(field);
    const order = match.order;
    if (operator !== '=' && operator !== '!=' && Number.isNaN(order)) {
      i -= 1;
      fail(`${field} has no order`);
    }
    const test = {
      '=': match,
      '!=': (v) => !match(v),
      '<': (v) => v < order,
      '<=': (v) => v <= order,
      '>': (v) => v > order,
      '>=': (v) => v >= order,
    }[operator];
    return operator === '!=' ? (f) => kFields[field](f).every(test) : (f) => kFields[field](f).some(test);
  };
  const unary = () => {
    if (peek() === 'not') {
      i += 1;
      const inner = unary();
      return (f) => !inner(f);
    }
    if (peek() === '(') {
      i += 1;
      const inner = either();
      if (peek() !== ')') fail('")" is missing');
      i += 1;
      return inner;
    }
    return comparison();
  };
  const both = () => {
    let left = unary();
    while (peek() === 'and') {
      i += 1;
      const a = left;
      const b = unary();
      left = (f) => a(f) && b(f);
    }
    return left;
  };
  const either = () => {
    let left = both();
    while (peek() === 'or') {
      i += 1;
      const a = left;
      const b = both();
      left = (f) => a(f) || b(f);
    }
    return left;
  };
  const result = either();
  if (i < list.length) fail(`"${list[i].text}" is not expected here`);
  return result;
}
