/** CPU and wall time of this process between two moments, and the most memory it held. */
export interface Measured {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

export function startMeasuring(): () => Measured {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - wall) / 1e3 };
  };
}

export const peakResidentBytes = (): number => process.resourceUsage().maxRSS * 1_024;
