// The one stream of a tab. It is closed while the tab is hidden, and resumes where it was.
import { api, session } from "/assets/server.js";

export class Stream {
  /** on: open(first) when it stands, event(event) for each change, link(kind, words), signedOut(). */
  constructor(on) {
    Object.assign(this, { on, source: null, resume: "", retry: 0, timer: 0, running: false });
    // A hidden tab costs nothing and goes on where it was.
    document.addEventListener("visibilitychange", () => {
      if (!this.running) return;
      if (document.hidden) this.stop("paused");
      else if (!this.source) this.follow();
    });
  }

  start() {
    this.running = true;
    this.on.link("off", "connecting");
    this.follow();
  }

  end() {
    this.running = false;
    this.stop("signed out");
  }

  stop(words) {
    this.source?.close();
    this.source = null;
    clearTimeout(this.timer);
    this.on.link("off", words);
  }

  follow() {
    clearTimeout(this.timer);
    this.source?.close();
    const query = this.resume ? `&resumeToken=${encodeURIComponent(this.resume)}` : "";
    const source = this.source = new EventSource(`/v1/workspaces/${session.workspace}/events:watch?coalesce=true${query}`);
    let first = true;
    source.onmessage = (message) => {
      if (message.lastEventId) this.resume = message.lastEventId;
      // Every message shows that the stream stands: the browser mends a broken one by itself.
      this.retry = 0;
      this.on.link("live", "live");
      // What happened before it stood is loaded now, so that no change falls between.
      if (first && !query) this.on.open();
      first = false;
      for (const frame of JSON.parse(message.data)) if (frame.event) this.on.event(frame.event);
    };
    source.addEventListener("failure", (message) => {
      const reason = JSON.parse(message.data).details?.[0]?.reason || "";
      if (reason.startsWith("TOKEN_")) this.on.signedOut();
      if (reason.startsWith("RESUME_TOKEN")) this.resume = "";
    });
    source.onerror = () => {
      this.on.link("lost", "reconnecting");
      if (source.readyState === EventSource.CLOSED) this.again();
    };
  }

  // A browser gives up on an answer that is no stream. Why, a plain request tells.
  async again() {
    this.source = null;
    this.timer = setTimeout(() => this.follow(), Math.min(15000, 500 * 2 ** this.retry++) * (0.5 + Math.random()));
    try {
      await api("/v1/access:whoAmI");
      if (this.retry > 2) this.resume = ""; // the token may be what is refused; begin anew
    } catch (error) {
      if (error.code === 401) this.on.signedOut();
    }
  }
}
