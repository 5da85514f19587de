// Who talks to whom, in two columns: those who spoke first on the left, those they spoke to on the right. A host that does both
// stands in both. Heights are in proportion; nothing is thinner than can be seen and clicked.

export interface Flowing {
  from: string;
  to: string;
  value: number;
}
export interface Node {
  key: string;
  value: number;
  y: number;
  height: number;
}
export interface Band {
  index: number;
  from: string;
  to: string;
  value: number;
  // The middle of the band at either end, and its width there.
  y0: number;
  y1: number;
  width0: number;
  width1: number;
}
export interface Sankey {
  height: number;
  left: Node[];
  right: Node[];
  bands: Band[];
}

const kGap = 8;
// As high as a line of text: each node has its name beside it.
const kLeastNode = 14;
const kPerNode = 34;

function sums(links: Flowing[], of: (link: Flowing) => string): { key: string; value: number }[] {
  const found = new Map<string, { key: string; value: number }>();
  for (const link of links) {
    const key = of(link);
    const node = found.get(key) ?? { key, value: 0 };
    node.value += link.value;
    found.set(key, node);
  }
  return [...found.values()].sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1));
}

// Each node gets its least height; what is left of the column is shared by value.
function column(nodes: { key: string; value: number }[], height: number): Node[] {
  const total = nodes.reduce((sum, node) => sum + node.value, 0);
  const free = Math.max(0, height - nodes.length * kLeastNode - (nodes.length - 1) * kGap);
  let y = 0;
  return nodes.map(({ key, value }) => {
    const own = kLeastNode + (total > 0 ? (value / total) * free : 0);
    const node = { key, value, y, height: own };
    y += own + kGap;
    return node;
  });
}

export function layOut(links: Flowing[], leastHeight = 160): Sankey {
  const kept = links.filter((link) => link.value > 0);
  const lefts = sums(kept, (link) => link.from);
  const rights = sums(kept, (link) => link.to);
  const height = Math.max(leastHeight, Math.max(lefts.length, rights.length) * kPerNode);
  const left = column(lefts, height);
  const right = column(rights, height);
  const rank = (nodes: Node[]) => new Map(nodes.map((node, i) => [node.key, i]));
  const leftRank = rank(left);
  const rightRank = rank(right);
  const bands = kept.map((link): Band => {
    const share = (node: Node) => (link.value / node.value) * node.height;
    const width0 = share(left[leftRank.get(link.from)!]!);
    const width1 = share(right[rightRank.get(link.to)!]!);
    return { ...link, index: links.indexOf(link), y0: 0, y1: 0, width0, width1 };
  });
  // Bands leave a node in the order of their other ends, so that few of them cross.
  const used = new Map<string, number>();
  const next = (side: string, node: Node, width: number) => {
    const key = `${side} ${node.key}`;
    const before = used.get(key) ?? 0;
    used.set(key, before + width);
    return node.y + before + width / 2;
  };
  for (const band of [...bands].sort((a, b) => rightRank.get(a.to)! - rightRank.get(b.to)!))
    band.y0 = next('left', left[leftRank.get(band.from)!]!, band.width0);
  for (const band of [...bands].sort((a, b) => leftRank.get(a.from)! - leftRank.get(b.from)!))
    band.y1 = next('right', right[rightRank.get(band.to)!]!, band.width1);
  return { height, left, right, bands };
}

// Its ends may differ in width: a band is a shape with two curved sides.
export function bandPath({ y0, y1, width0, width1 }: Band, x0: number, x1: number): string {
  const middle = (x0 + x1) / 2;
  const [a, b, c, d] = [y0 - width0 / 2, y1 - width1 / 2, y1 + width1 / 2, y0 + width0 / 2];
  return `M${x0},${a}C${middle},${a} ${middle},${b} ${x1},${b}L${x1},${c}C${middle},${c} ${middle},${d} ${x0},${d}Z`;
}
