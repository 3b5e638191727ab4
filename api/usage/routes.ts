import type { Route } from '../http/route.ts';
import { evaluateUsageRoute } from './evaluate.ts';
import { readUsageRoute } from './read.ts';

export const USAGE_ROUTES: readonly Route[] = [readUsageRoute, evaluateUsageRoute];
