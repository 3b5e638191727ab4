/** Windows of UTC; calendars and zones are made from minutes and hours by whoever asks. */
export const WINDOWS = ['minute', 'hour', 'day', 'none'] as const;
export type Window = (typeof WINDOWS)[number];
