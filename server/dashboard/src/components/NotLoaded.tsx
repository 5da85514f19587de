import { SidePanel } from './SidePanel';

// A link may open a row that the range, the filter or the pages loaded so far do not hold.
export function NotLoaded({ what, onClose }: { what: string; onClose: () => void }) {
  return (
    <SidePanel label="Detail" title={what} onClose={onClose}>
      <p className="muted">
        {what} is not among what is loaded. Widen the range, clear the filter, or scroll on.
      </p>
    </SidePanel>
  );
}
