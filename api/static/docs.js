// The installed Swagger UI draws OpenAPI 3.0 only. What our 3.1 document uses beyond 3.0 it shows as it stands,
// so the page relabels its own copy; the document at /openapi.json stays as it is.
fetch("/openapi.json")
  .then((answer) => answer.json())
  .then((spec) => {
    SwaggerUIBundle({
      spec: { ...spec, openapi: "3.0.3" },
      dom_id: "#docs",
      deepLinking: true,
      validatorUrl: null,
      presets: [SwaggerUIBundle.presets.apis],
    });
  })
  .catch((error) => {
    document.getElementById("docs").textContent = `The API's description could not be loaded: ${error}`;
  });
