// What the pages of the card desk have beyond live pieces: the name is ready to be typed when a new card is laid down, a
// telephone is a reader, receipts print themselves, and what can be taken back counts its seconds.

const desk = document.querySelector("[data-desk]");
const scan = document.getElementById("scan");
let offered = null;
let printed = false;

if (desk) {
  // The server's clock and this one may differ.
  const ahead = Date.now() - Number(desk.dataset.now);
  const look = () => {
    countDown(ahead);
    printWhenDone();
    offerToType();
  };
  new MutationObserver(look).observe(document.querySelector("main"), { childList: true, subtree: true });
  setInterval(() => countDown(ahead), 1000);
  look();
  listenWithPhone();
}

// Nobody has to click into the form: a new card was laid down, so its holder's name comes next.
function offerToType() {
  const field = document.querySelector("#desk-act [autofocus]");
  if (!field) return void (offered = null);
  const form = field.form;
  const idle = document.activeElement === document.body || document.activeElement === document.getElementById("main") || (document.activeElement === scan && !scan.value);
  if (offered && document.contains(offered)) return;
  offered = form;
  if (idle) field.focus({ preventScroll: true });
}

function countDown(ahead) {
  for (const place of document.querySelectorAll("[data-until]")) {
    const seconds = Math.ceil((Number(place.dataset.until) + ahead - Date.now()) / 1000);
    const button = place.closest("form");
    if (button) button.hidden = seconds <= 0;
    const words = seconds > 0 ? place.dataset.word.replace("{seconds}", seconds.toLocaleString(document.documentElement.lang, { useGrouping: false })) : "";
    if (place.textContent !== words) place.textContent = words;
  }
}

// "Recharge and print" was pressed: once the card is done, its receipt prints and the desk is there again.
function printWhenDone() {
  const job = document.getElementById("desk-job");
  if (printed || !desk.dataset.print || job?.dataset.job !== desk.dataset.print || job.dataset.state !== "done") return;
  printed = true;
  if (!job.dataset.receipt) return;
  location.replace(`/receipts/${job.dataset.receipt}?${new URLSearchParams({ print: "1", back: desk.dataset.back })}`);
}

function listenWithPhone() {
  const place = document.querySelector("[data-phone-reader]");
  if (!place || !("NDEFReader" in window) || !window.isSecureContext) return;
  place.hidden = false;
  const button = place.querySelector("button");
  const words = button.querySelector("span");
  button.addEventListener("click", async () => {
    const reader = new window.NDEFReader();
    // A card without anything we can read has a number all the same.
    const tapped = (event) => {
      if (!event.serialNumber) return;
      scan.value = event.serialNumber;
      scan.form.requestSubmit();
    };
    try {
      await reader.scan();
      reader.addEventListener("reading", tapped);
      reader.addEventListener("readingerror", () => { words.textContent = button.dataset.listening; });
      words.textContent = button.dataset.listening;
    } catch {
      words.textContent = button.dataset.refused;
    }
  });
}

for (const form of document.querySelectorAll("[data-print-page]")) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    print();
  });
}

// The printer of receipts prints what was just booked; its form says what became of it.
const send = document.querySelector("form[data-send-now]");
if (send) {
  printOnlyOnce();
  send.requestSubmit();
}

const now = document.querySelector("[data-print-now]");
if (now) {
  if (now.dataset.then) addEventListener("afterprint", () => location.replace(now.dataset.then));
  printOnlyOnce();
  addEventListener("load", () => print());
}

// Coming back to this page later prints nothing.
function printOnlyOnce() {
  const address = new URL(location.href);
  address.searchParams.delete("print");
  history.replaceState(null, "", address);
}
