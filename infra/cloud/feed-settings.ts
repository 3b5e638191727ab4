import { z } from 'zod';
import { jsonText } from '#infra/variables.ts';
import type { NamespaceRule } from '#infra/usage/feed.ts';

/** Topics and subscriptions are named as Pub/Sub has it. */
const pubsubName = z.string().regex(/^(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}$/, 'is no name of Pub/Sub');
const name = z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/, 'is no name of a feed or a namespace');

const feedSchema = z.strictObject({
  feed: name,
  topic: pubsubName,
  subscription: pubsubName,
  /** All messages are of this namespace. */
  namespace: name.optional(),
  /** Each message names its own: only for the topic that nobody but the API may publish to. */
  namespaces: z.literal('attribute').optional(),
  /** Where the dead letters of messages lie that name no namespace: the operator's own. */
  strays: name.default('default'),
  /** The sources that may publish here: each whole, or with `*` at its end. */
  sources: z.array(z.string().min(1).max(256)).min(1).max(1_000).optional(),
});

/** A feed on Pub/Sub, and how the namespace of a message is told there. */
export interface FeedSettings {
  readonly feed: string;
  readonly topic: string;
  readonly subscription: string;
  readonly rule: NamespaceRule;
}

const FEEDS_MAX = 100;

/** `MILLRACE_FEEDS`, a JSON list. */
export const feedsSchema = jsonText
  .pipe(z.array(feedSchema.transform(toFeed)).min(1).max(FEEDS_MAX))
  .refine(
    (feeds) => new Set(feeds.map(({ feed }) => feed)).size === feeds.length,
    'names a feed more than once',
  );

function toFeed(
  { feed, topic, subscription, namespace, namespaces, strays, sources }: z.output<typeof feedSchema>,
  context: z.RefinementCtx,
): FeedSettings {
  const only = sources === undefined ? {} : { sources };
  if ((namespace === undefined) === (namespaces === undefined)) {
    context.addIssue({ code: 'custom', message: 'needs one of `namespace` and `namespaces`' });
    return z.NEVER;
  }
  const rule: NamespaceRule =
    namespace === undefined ? { kind: 'attribute', strays, ...only } : { kind: 'fixed', namespace, ...only };
  return { feed, topic, subscription, rule };
}
