import { kMixes, type Mix } from '../lib/mix';
import { Segmented } from './Segmented';

export function MixSwitch({ mix, onChange }: { mix: Mix; onChange: (mix: Mix) => void }) {
  return (
    <Segmented
      label="What the traffic is made of"
      value={mix}
      choices={(Object.keys(kMixes) as Mix[]).map((value) => ({ value, label: kMixes[value].label }))}
      onChange={onChange}
    />
  );
}
