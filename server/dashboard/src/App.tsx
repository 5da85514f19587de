import { useEffect, type ComponentType } from 'react';
import type { User } from './api/types';
import { Shell } from './components/Shell';
import { Alerts } from './pages/Alerts';
import { Audit } from './pages/Audit';
import { FirstRun, SignIn, Unreachable } from './pages/Auth';
import { Backups } from './pages/Backups';
import { Conversations } from './pages/Conversations';
import { Explore } from './pages/Explore';
import { Health } from './pages/Health';
import { Firewall } from './pages/Firewall';
import { Host } from './pages/Host';
import { Hosts } from './pages/Hosts';
import { Incidents } from './pages/Incidents';
import { Logs } from './pages/Logs';
import { Notifications } from './pages/Notifications';
import { Overview } from './pages/Overview';
import { Schedule } from './pages/Schedule';
import { Settings } from './pages/Settings';
import { Rules } from './pages/Rules';
import { Users } from './pages/Users';
import { capitalised } from './lib/format';
import { stream } from './state/live';
import { session, startSession } from './state/session';
import { useStore } from './state/store';
import { linkTo, useView } from './state/view';

const kPages: Record<string, ComponentType<{ user: User }>> = {
  overview: Overview,
  explore: Explore,
  hosts: HostPages,
  conversations: Conversations,
  alerts: Alerts,
  logs: Logs,
  audit: Audit,
  firewall: Firewall,
  rules: Rules,
  notifications: Notifications,
  users: Users,
  incidents: Incidents,
  health: Health,
  schedule: Schedule,
  settings: Settings,
  backups: Backups,
};

// One host when the address names one, else all of them. Each host starts anew: nothing of another may be seen.
function HostPages() {
  const { item } = useView();
  return item ? <Host key={item} address={item} /> : <Hosts />;
}

export function App() {
  const current = useStore(session);
  useEffect(() => void startSession(), []);
  // A server that was away comes back by itself.
  useEffect(() => {
    if (current.phase !== 'unreachable') return;
    const timer = setTimeout(() => void startSession(), 3000);
    return () => clearTimeout(timer);
  }, [current]);

  switch (current.phase) {
    case 'starting':
      return <div className="starting" aria-busy="true" aria-label="Starting" />;
    case 'unreachable':
      return <Unreachable problem={current.problem} />;
    case 'first_run':
      return <FirstRun />;
    case 'signed_out':
      return <SignIn ended={current.ended} />;
    case 'signed_in':
      return <SignedIn user={current.user} />;
  }
}

function SignedIn({ user }: { user: User }) {
  const view = useView();
  useEffect(() => {
    stream.start();
    return () => stream.stop();
  }, []);
  const Page = kPages[view.page];
  useEffect(() => {
    document.title = `${view.item || capitalised(view.page)} · nta`;
  }, [view.page, view.item]);
  return (
    <Shell user={user}>
      {Page ? (
        <Page user={user} />
      ) : (
        <div className="empty">
          <p>There is no page “{view.page}”.</p>
          <p>
            <a className="button" href={linkTo(view, { page: 'overview' })}>
              To the Overview
            </a>
          </p>
        </div>
      )}
    </Shell>
  );
}
