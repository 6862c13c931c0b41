"""Records in, flags out: what is odd about a visit, most suspicious first.

This room never corrects and never refuses; it opens no file but its own tables and knows no store. A step (or
`yangdi check --csv`) hands it visits and keeps what it says. Start at `catalogue.flags_of`.
"""
