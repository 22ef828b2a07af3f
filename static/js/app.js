/* What every page has besides its own: each module sets itself up and works without the others. */
import "./live.js";
import "./theme.js";
import "./menus.js";
import "./dialogs.js";
import "./keys.js";
import "./times.js";
import "./toasts.js";
import "./copy.js";
import "./passkeys.js";
import "./logs.js";
import "./bulk.js";
import "./pictures.js";
import "./keeping.js";
