import type { User } from '../api/types';
import { ScheduleSection } from './schedule/ScheduleSection';

export function Schedule({ user }: { user: User }) {
  return (
    <div className="settings">
      <h1 className="page-title">Schedule</h1>
      <ScheduleSection user={user} />
    </div>
  );
}
