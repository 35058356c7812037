/** What a server says of itself in its metrics. */
import type { Server } from './server.ts';

/** The sum of a metric over its labels; `label` picks those that hold this text. */
export async function metric(server: Pick<Server, 'metricsUrl'>, name: string, label = ''): Promise<number> {
  const response = await fetch(`${server.metricsUrl}/metrics`);
  if (!response.ok) throw new Error(`The metrics answered ${response.status}.`);
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.filter((line) => line.includes(label)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
