import { Sparkline } from '../charts/Sparkline';
import { useHostSeries } from '../state/sparklines';
import { useView } from '../state/view';

interface Props {
  address: string;
  visible?: boolean;
  width?: number;
  height?: number;
}

// All traffic of one host over the range. Its place is kept until it is known: the numbers beside it are complete.
export function HostSparkline({ address, visible = true, width = 120, height = 20 }: Props) {
  const { range } = useView();
  const values = useHostSeries(address, range, visible);
  if (!values || values.length < 2)
    return <svg className="sparkline" width={width} height={height} aria-hidden="true" />;
  return <Sparkline values={values} width={width} height={height} label={`Bytes of ${address} over time`} />;
}
