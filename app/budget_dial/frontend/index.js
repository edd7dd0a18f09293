// Where Streamlit enters: it calls the default export when the dial comes to a page, and again for new data.

/** @import { Choices } from "./choices.js" */
/** @import { MountedData, SetTrigger } from "./types" */
import { completeInPlace } from "./address.js";
import { decodeData } from "./decode.js";
import { Dial } from "./dial.js";
import { find } from "./dom.js";
import { loadStyles } from "./styles.js";

/** @type {WeakMap<Element, { dial: Dial, calls: number }>} */
const mounted = new WeakMap();
/** @type {{ id: string, choices: Choices } | null} of the dial that went last: Streamlit may put another into its place */
let former = null;

completeInPlace();
await loadStyles();

/**
 * Show the dial. What Python sends back is set as a trigger, not as state: Python alone remembers the choices.
 * @param {{ data: MountedData, parentElement: ParentNode, setTriggerValue: SetTrigger }} component
 * @returns {() => void} takes the dial away
 */
export default function budgetDial({ data, parentElement, setTriggerValue }) {
  const root = find(parentElement, ".budget-dial", HTMLElement);
  const shown = decodeData(data);
  const choices = former?.id === shown.id ? former.choices : null;
  const mount = mounted.get(root) ?? { dial: new Dial(root, shown, setTriggerValue, choices), calls: 0 };
  mounted.set(root, mount);
  const call = ++mount.calls;
  mount.dial.receive(shown, setTriggerValue);
  return () => {
    if (call !== mount.calls) return; // a later call has taken over the dial
    mount.dial.close();
    former = { id: mount.dial.state.data.id, choices: mount.dial.reporter.choices };
    mounted.delete(root);
  };
}
