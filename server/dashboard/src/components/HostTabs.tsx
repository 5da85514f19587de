import { linkTo, useView } from '../state/view';

const kTabs = [
  { page: 'hosts', label: 'Hosts' },
  { page: 'conversations', label: 'Conversations' },
];

// Two ways to look at who is there: one by one, and in pairs.
export function HostTabs() {
  const view = useView();
  return (
    <h1 className="page-title tabs">
      {kTabs.map(({ page, label }) => (
        <a key={page} href={linkTo(view, { page })} aria-current={view.page === page ? 'page' : undefined}>
          {label}
        </a>
      ))}
    </h1>
  );
}
