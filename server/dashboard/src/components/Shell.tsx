import { useState, type ReactNode } from 'react';
import type { User } from '../api/types';
import { isTyping, useKey, useSmall } from '../state/hooks';
import { theme, type Theme } from '../state/preferences';
import { may, signOut } from '../state/session';
import { useStore } from '../state/store';
import { linkTo, useView } from '../state/view';
import { Bell } from './Bell';
import { CaptureState } from './CaptureState';
import { FilterBar } from './FilterBar';
import { HelpDialog } from './HelpDialog';
import { Icon } from './Icon';
import { Notices } from './Notices';
import { OfflineLine } from './OfflineLine';
import { PasswordDialog } from './PasswordDialog';
import { Popover } from './Popover';
import { RangePicker } from './RangePicker';
import { Segmented } from './Segmented';
import { ServerNotices } from './ServerNotices';

// In the order of the rail. `range` and `filter`: whether those of the top bar mean anything to the page.
const kPages = [
  { page: 'overview', label: 'Overview', role: 'viewer', range: true, filter: true },
  { page: 'explore', label: 'Explore', role: 'viewer', range: true, filter: true },
  { page: 'hosts', label: 'Hosts', role: 'viewer', range: true, filter: true },
  { page: 'alerts', label: 'Alerts', role: 'viewer', range: true, filter: true },
  { page: 'rules', label: 'Rules', role: 'viewer', range: false, filter: false },
  { page: 'firewall', label: 'Firewall', role: 'viewer', range: false, filter: false },
  { page: 'incidents', label: 'Incidents', role: 'viewer', range: false, filter: false },
  { page: 'logs', label: 'Logs', role: 'operator', range: false, filter: false },
  { page: 'audit', label: 'Audit', role: 'admin', range: false, filter: false },
  { page: 'backups', label: 'Backups', role: 'admin', range: false, filter: false },
  { page: 'health', label: 'Health', role: 'viewer', range: true, filter: false },
  { page: 'schedule', label: 'Schedule', role: 'viewer', range: false, filter: false },
  { page: 'settings', label: 'Settings', role: 'viewer', range: false, filter: false },
  { page: 'users', label: 'Users', role: 'admin', range: false, filter: false },
] as const;
const kThemes: { value: Theme; label: string; icon: string }[] = [
  { value: 'system', label: 'Like the system', icon: 'system' },
  { value: 'light', label: 'Light', icon: 'sun' },
  { value: 'dark', label: 'Dark', icon: 'moon' },
];

const kInBar = 4;

// Conversations are the second half of Hosts.
const isAt = (current: string, page: string) =>
  current === page || (page === 'hosts' && current === 'conversations');

export function Shell({ user, children }: { user: User; children: ReactNode }) {
  const view = useView();
  const [dialog, setDialog] = useState<'help' | 'password' | null>(null);
  const small = useSmall();
  const pages = kPages.filter(({ role }) => may(user, role));
  // A bottom bar has room for a few; the others are behind its last button.
  const shown = small ? pages.slice(0, kInBar) : pages;
  const folded = small ? pages.slice(kInBar) : [];
  // Pages that are not in the rail are about traffic, those of one host among them, but for the settings.
  const isTraffic = view.page !== 'notifications';
  const { range: hasRange, filter: hasFilter } = kPages.find(({ page }) => page === view.page) ?? {
    range: isTraffic,
    filter: isTraffic,
  };

  useKey((event) => {
    if (event.key === '?' && !isTyping(event)) setDialog('help');
  });

  return (
    <div className="shell">
      <a
        className="skip-link"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        Skip to content
      </a>
      <nav className="rail" aria-label="Main">
        <a className="brand" href={linkTo(view, { page: 'overview' })} aria-label="nta, to the Overview">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M4 21h5l3-10 4 14 4-11 2 7h6" />
          </svg>
        </a>
        <div className="rail-pages">
          {shown.map(({ page, label }) => (
            <a
              key={page}
              className="rail-item"
              href={linkTo(view, { page })}
              aria-current={isAt(view.page, page) ? 'page' : undefined}
            >
              <Icon name={page} />
              <span>{label}</span>
            </a>
          ))}
        </div>
        <div className="rail-foot">
          <button
            type="button"
            className="rail-item rail-help"
            onClick={() => setDialog('help')}
            aria-label="Keyboard help"
          >
            <Icon name="help" />
            <span>Help</span>
          </button>
          <Popover
            label={small ? 'More pages and account' : `Account of ${user.username}`}
            buttonClass={`rail-item ${folded.some(({ page }) => isAt(view.page, page)) ? 'is-here' : ''}`}
            align="left"
            button={
              <>
                <Icon name={small ? 'more' : 'account'} />
                <span className="rail-user">{small ? 'More' : user.username}</span>
              </>
            }
          >
            {(close) => (
              <>
                {small && <MorePages pages={folded} onClose={close} />}
                <AccountMenu
                  user={user}
                  onPassword={() => {
                    close();
                    setDialog('password');
                  }}
                />
              </>
            )}
          </Popover>
        </div>
      </nav>
      <div className="stage">
        <header className="top-bar">
          <CaptureState />
          {hasFilter && <FilterBar />}
          {hasRange && <RangePicker />}
          <Bell />
        </header>
        <OfflineLine />
        <ServerNotices user={user} />
        <main id="main" tabIndex={-1} className={`page page-${view.page}`}>
          {children}
        </main>
      </div>
      {dialog === 'help' && <HelpDialog onClose={() => setDialog(null)} />}
      {dialog === 'password' && <PasswordDialog onClose={() => setDialog(null)} />}
      <Notices />
    </div>
  );
}

function MorePages({
  pages,
  onClose,
}: {
  pages: readonly { page: string; label: string }[];
  onClose: () => void;
}) {
  const view = useView();
  return (
    <div className="more-pages">
      {pages.map(({ page, label }) => (
        <a
          key={page}
          href={linkTo(view, { page })}
          onClick={onClose}
          aria-current={isAt(view.page, page) ? 'page' : undefined}
        >
          <Icon name={page} />
          <span>{label}</span>
        </a>
      ))}
    </div>
  );
}

function AccountMenu({ user, onPassword }: { user: User; onPassword: () => void }) {
  return (
    <div className="menu">
      <p className="menu-title">
        <strong>{user.username}</strong> <span className="muted">{user.role}</span>
      </p>
      <ThemeChoice />
      <a className="menu-item" href={linkTo(useView(), { page: 'notifications' })}>
        Notification settings
      </a>
      <button type="button" className="menu-item" onClick={onPassword}>
        Change password…
      </button>
      <button type="button" className="menu-item" onClick={() => void signOut()}>
        <Icon name="exit" /> Sign out
      </button>
    </div>
  );
}

function ThemeChoice() {
  return (
    <Segmented
      label="Theme"
      value={useStore(theme)}
      choices={kThemes.map(({ icon, ...choice }) => ({ ...choice, picture: <Icon name={icon} /> }))}
      onChange={(value) => theme.set(value)}
    />
  );
}
