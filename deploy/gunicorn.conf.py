"""How gunicorn serves Yangdi."""
