export type Progress = {
  elapsedMs: number;
  totalMs: number;
  acknowledged: number;
  events: number;
  deliveries: number;
  finished: number;
  injected: number;
  faults: number;
  restarts: number;
};

const BAR_CELLS = 12;

export function writeProgress(progress: Progress): string {
  const { elapsedMs, totalMs, acknowledged, events, deliveries, finished, injected, faults, restarts } = progress;
  return [
    `${clock(elapsedMs)}/${clock(totalMs)} ${drawBar(elapsedMs / totalMs)} ${acknowledged}/${events} events`,
    `${finished}/${deliveries} deliveries`,
    `${injected}/${faults} faults`,
    `${restarts} restarts`,
  ].join(' · ');
}

function drawBar(share: number): string {
  const full = Math.min(BAR_CELLS, Math.floor(share * BAR_CELLS));
  return `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)}`;
}

function clock(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${`${seconds % 60}`.padStart(2, '0')}`;
}
