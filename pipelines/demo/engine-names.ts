/** The distributed engines that the demo's pipeline can be a job of. */
export const ENGINE_NAMES = ['flink', 'prism'] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];
