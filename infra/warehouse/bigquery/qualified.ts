/** A table or view of the dataset by its full name, as SQL: a view knows no default dataset, and a session may know another. */
export const qualified = (
  { projectId, dataset }: { readonly projectId: string; readonly dataset: string },
  name: string,
): string => `\`${projectId}.${dataset}.${name}\``;
