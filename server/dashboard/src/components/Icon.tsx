// Our own line icons on a 16 px grid; decorative, so hidden from screen readers: the button beside carries the name.
const kPaths: Record<string, string> = {
  overview: 'M1.5 9h2.5l2-5.5 3.2 9 2-5.5 1 2h2.3',
  explore: 'M2 3.5h12M2 8h12M2 12.5h12M5.5 3.5v9',
  hosts:
    'M8 6.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM8 6.2v3.3M3.5 14.2a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6ZM12.5 14.2a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6ZM3.5 10.6V9.5h9v1.1',
  alerts: 'M8 2 14.5 13.5h-13ZM8 6.5v3.2M8 11.6v.2',
  incidents: 'M3 14.5v-13M3 2.5h9.5l-2.2 3.2 2.2 3.3H3',
  health: 'M8 13.5C3.5 10.2 2 8 2 5.8A3 3 0 0 1 8 4.3a3 3 0 0 1 6 1.5c0 2.2-1.5 4.4-6 7.7Z',
  settings:
    'M2 4.5h7M13 4.5h1M2 11.5h1M7 11.5h7M11 6.3a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6ZM5 13.3a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6Z',
  schedule: 'M2 3.5h12v10.5H2ZM2 6.8h12M5 1.8v3M11 1.8v3M8 8.6v2.2l1.7 1.1',
  logs: 'M3 2h7l3 3v9H3ZM10 2v3h3M5.5 8h5M5.5 10.8h5',
  audit: 'M8 1.5 13.5 4v4c0 3.2-2.2 5.3-5.5 6.5C4.7 13.3 2.5 11.2 2.5 8V4ZM5.5 8l1.8 1.8 3.3-3.6',
  firewall: 'M2 3h12v10H2ZM2 6.3h12M2 9.6h12M6 3v3.3M10 6.3v3.3M6 9.6V13',
  rules: 'M2 3.5h7M2 8h4.5M2 12.5h4.5M9 10.5l2 2 3.5-4M12 2v3M10.5 3.5h3',
  bell: 'M3.5 11.5h9c-1-1-1.2-2.2-1.2-4.3 0-2.2-1.4-3.7-3.3-3.7S4.7 5 4.7 7.2c0 2.1-.2 3.3-1.2 4.3ZM6.7 13.5h2.6M8 3.5V2',
  users:
    'M6 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 6 8ZM1.5 13.5c0-2.4 2-3.8 4.5-3.8s4.5 1.4 4.5 3.8M10.7 3.2a2.4 2.4 0 0 1 0 4.4M12 10c1.6.5 2.6 1.7 2.6 3.5',
  backups: 'M2 3h12v3.5H2ZM3 6.5v7h10v-7M6.2 9.3h3.6',
  upload: 'M8 10V2M4.8 5 8 1.8 11.2 5M2.5 13.5h11',
  account: 'M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8ZM2.8 14c0-2.5 2.3-4 5.2-4s5.2 1.5 5.2 4',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.7M8 12.8v1.7M1.5 8h1.7M12.8 8h1.7M3.4 3.4l1.2 1.2M11.4 11.4l1.2 1.2M12.6 3.4l-1.2 1.2M4.6 11.4l-1.2 1.2',
  moon: 'M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1Z',
  system: 'M2 3h12v8H2ZM6 14h4M8 11v3',
  help: 'M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM6.1 6.2a1.9 1.9 0 1 1 2.8 1.7c-.6.4-.9.7-.9 1.4M8 11.4v.2',
  copy: 'M5.5 5.5h8v8h-8ZM10.5 5.5v-3h-8v8h3',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  zoomOut: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM10.6 10.6 14 14M4.8 7h4.4',
  clock: 'M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM8 4.5V8l2.4 1.6',
  filter: 'M1.8 3h12.4L9.5 8.6v4.6l-3-1.5V8.6Z',
  columns: 'M2 2.5h12v11H2ZM6 2.5v11M10 2.5v11',
  download: 'M8 2v8M4.8 7 8 10.2 11.2 7M2.5 13.5h11',
  down: 'M4 6l4 4 4-4',
  left: 'M10 4 6 8l4 4',
  right: 'M6 4l4 4-4 4',
  more: 'M2.5 7.5h1v1h-1ZM7.5 7.5h1v1h-1ZM12.5 7.5h1v1h-1Z',
  table: 'M2 3h12v10H2ZM2 6.3h12M2 9.6h12M6.5 6.3V13',
  chart: 'M2 13.5h12M3.5 11V8M6.5 11V4.5M9.5 11V6.5M12.5 11V3',
  refresh: 'M13.5 8A5.5 5.5 0 1 1 11.6 3.8M13.5 2v3.2h-3.2',
  exit: 'M6.5 2.5h-4v11h4M10.5 5 13.5 8l-3 3M13.5 8H6',
  plus: 'M8 3v10M3 8h10',
};

export function Icon({ name }: { name: string }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={kPaths[name]} />
    </svg>
  );
}
