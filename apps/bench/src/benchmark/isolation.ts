import type { Benches } from './bench.js';
import type { BenchRun } from './command-line.js';
import { measureBesideBad } from './isolation-beside.js';
import type { Findings } from './isolation-findings.js';
import { measureLimited } from './isolation-limited.js';
import { measureMillionHeld } from './isolation-million.js';
import { measureOutage } from './isolation-outage.js';
import { measureRedisAway } from './isolation-redis.js';
import { BESIDE_SCENES, LIMITED, MILLION_HELD, OUTAGE, REDIS_AWAY_SCENES } from './isolation-scenes.js';
import type { IsolationTools } from './isolation-stage.js';

/** What a bad receiver, an outage or a backlog costs others, and how soon what it held up arrives. */
export async function measureIsolation(
  benches: Benches,
  { workers, scenes }: Pick<BenchRun, 'workers' | 'scenes'>,
): Promise<Findings> {
  const tools = { ...benches, workers };
  const findings: Findings = { rows: [], figures: [] };
  for (const { name, measure } of MEASURES) {
    if (!scenes.includes(name)) continue;
    const { rows, figures } = await measure(tools);
    findings.rows.push(...rows);
    findings.figures.push(...figures);
  }
  return findings;
}

type Measure = (tools: IsolationTools) => Promise<Findings>;

const MEASURES: readonly { name: string; measure: Measure }[] = [
  ...BESIDE_SCENES.map((scene) => ({
    name: scene.name,
    measure: (tools: IsolationTools) => measureBesideBad(scene, tools),
  })),
  { name: LIMITED.name, measure: measureLimited },
  { name: OUTAGE.name, measure: measureOutage },
  ...REDIS_AWAY_SCENES.map((scene) => ({
    name: scene.name,
    measure: (tools: IsolationTools) => measureRedisAway(scene, tools),
  })),
  { name: MILLION_HELD.name, measure: measureMillionHeld },
];
