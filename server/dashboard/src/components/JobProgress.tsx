import type { Job } from '../api/jobs';

interface Props {
  job: Job;
  onCancel?: () => void;
}

// How far long work is, in a bar and in words.
export function JobProgress({ job, onCancel }: Props) {
  const percent = Math.round(job.progress * 100);
  return (
    <div className="job-progress" role="status">
      <progress max={100} value={percent} aria-label={job.doing || job.kind} />
      <span className="muted">
        {percent} %{job.doing ? `, ${job.doing}` : ''}
      </span>
      {onCancel && job.state === 'running' && (
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
      )}
    </div>
  );
}
