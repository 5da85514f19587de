// RFC 4180. A spreadsheet runs a cell that begins with = + - @ tab or CR: such a cell from a packet gets a quote
// in front, which spreadsheets show as text. Numbers are ours and stay as they are.

export type Cell = string | number | null | undefined;

export function csvCell(value: Cell): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^\s*[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export function toCsv(header: string[], rows: Cell[][]): string {
  return [header, ...rows].map((row) => row.map(csvCell).join(',')).join('\r\n') + '\r\n';
}

// A table as it is saved: plain numbers, names as the API has them.
export interface Saved {
  name: string;
  header: string[];
  rows: Cell[][];
}

export function saveCsv({ name, header, rows }: Saved): void {
  download(`${name}.csv`, 'text/csv;charset=utf-8', toCsv(header, rows));
}

export function download(name: string, type: string, text: string): void {
  save(name, new Blob([text], { type }));
}

export function save(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
