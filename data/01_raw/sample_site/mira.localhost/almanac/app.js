// The co-operative's "Breakwater Live" template: the page is an empty box until this has run.
(async () => {
  const page = await (await fetch("/almanac/march.json")).json();
  document.title = page.title;
  const article = document.createElement("article");
  article.innerHTML = `<h1>${page.title}</h1>
    <p class="post-meta">By Mira Solano on <time datetime="${page.published}">9 March 2025</time></p>
    ${page.body}`;
  document.getElementById("app").replaceChildren(article);
})();
