"""Pages of the web, fetched by the partner's wish and with the human's leave."""
