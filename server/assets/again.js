// A run goes on that may change this page: it is looked at again until that is over.
const seconds = (count) => new Promise((done) => setTimeout(done, count * 1000));
for (let going = true; going; ) {
  await seconds(1.5);
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  going = answer.ok && page.querySelector("script[src='/assets/again.js']") !== null;
}
location.reload();
