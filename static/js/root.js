/* The pages may live below a path of their host (GWM_PUBLIC_URL): scripts ask for nothing outside it. */
const root = document.documentElement.dataset.root || "/";

/** The path of a page that is named as from the root of the product: at("login/"). */
export function at(path) {
  return root + path;
}
