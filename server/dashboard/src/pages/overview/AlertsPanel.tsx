import type { Alert, AlertPage } from '../../api/types';
import { AlertList } from '../../components/AlertList';
import { Panel } from '../../components/Panel';
import { Empty, Loaded, SkeletonLines } from '../../components/States';
import { useNow } from '../../state/hooks';
import type { Query } from '../../state/query';
import { linkTo, useView } from '../../state/view';

interface Props {
  alerts: Alert[] | undefined;
  query: Query<AlertPage>;
  onOpen: (id: string) => void;
}

export function AlertsPanel({ alerts, query, onOpen }: Props) {
  const view = useView();
  const now = useNow(1000);
  const list = alerts ?? [];
  return (
    <Panel
      title="Latest alerts"
      className="panel-alerts"
      note={view.where ? 'of all traffic' : undefined}
      tools={
        list.length > 0 && (
          <a className="text-button" href={linkTo(view, { page: 'alerts' })}>
            All {list.length}
          </a>
        )
      }
    >
      <Loaded query={query} skeleton={<SkeletonLines count={5} height={36} />}>
        {() =>
          list.length === 0 ? (
            <Empty>No alerts in this range. The detectors watch every flow and speak up here.</Empty>
          ) : (
            <AlertList
              alerts={list.slice(0, 5)}
              now={now}
              zone={view.zone}
              onOpen={(alert) => onOpen(String(alert.id))}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}
