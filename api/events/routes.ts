import type { Route } from '../http/route.ts';
import { CORRECTION_ROUTES } from './corrections.ts';
import { lookupRoute } from './lookup.ts';
import { postEvents } from './post-events.ts';

export const EVENT_ROUTES: readonly Route[] = [postEvents, lookupRoute, ...CORRECTION_ROUTES];
