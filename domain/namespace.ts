/** What a namespace may be called. Nothing in it needs escaping anywhere: in keys, attributes or paths. */
export const NAMESPACE_NAME = /^[a-z0-9][a-z0-9_.-]{0,62}$/;

export const isNamespaceName = (text: string): boolean => NAMESPACE_NAME.test(text);
