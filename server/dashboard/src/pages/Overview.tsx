import { useState } from 'react';
import type { Flow, FlowOrder } from '../api/types';
import { FlowDetail } from '../components/FlowDetail';
import { Headline } from '../components/Headline';
import { ThroughputPanel } from '../components/ThroughputPanel';
import { toMix } from '../lib/mix';
import { useAlerts } from '../state/traffic';
import { setView, useExtra, useView } from '../state/view';
import { AlertsPanel } from './overview/AlertsPanel';
import { FlowsPanel } from './overview/FlowsPanel';
import { MixPanel } from './overview/MixPanel';
import { PortsPanel, TalkersPanel } from './overview/TopPanels';

export function Overview() {
  const view = useView();
  const [highlight, setHighlight] = useState<string | null>(null);
  const [openId, setOpenId] = useExtra('flow');
  // The table moves on while a flow is read: the flow stays.
  const [known, setKnown] = useState<Flow | null>(null);
  const open = known && String(known.id) === openId ? known : null;
  const setOpen = (flow: Flow) => {
    setKnown(flow);
    setOpenId(String(flow.id));
  };
  const [mixText, setMix] = useExtra('mix');
  const mix = toMix(mixText);
  const [order, setOrder] = useExtra('order', '-last_seen');
  const alerts = useAlerts(view);
  const openAlert = (id: string) => setView({ page: 'alerts', extra: { alert: id } });
  return (
    <>
      <Headline alerts={alerts.alerts} />
      <div className="overview-grid">
        <ThroughputPanel
          where={view.where}
          mix={mix}
          onMix={setMix}
          alerts={alerts.alerts ?? []}
          highlight={highlight}
          onAlert={openAlert}
        />
        <MixPanel mix={mix} onHover={setHighlight} />
        <TalkersPanel />
        <PortsPanel />
        <AlertsPanel alerts={alerts.alerts} query={alerts.query} onOpen={openAlert} />
        <FlowsPanel
          order={order as FlowOrder}
          onOrder={setOrder}
          openId={openId || null}
          onOpen={setOpen}
          onClose={() => setOpenId('')}
          isOpen={open !== null}
        />
      </div>
      {open && (
        <div className="floating-panel">
          <FlowDetail flow={open} onClose={() => setOpenId('')} />
        </div>
      )}
    </>
  );
}
