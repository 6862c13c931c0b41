"""What is asked: XLSForms in, questions out; filled-in instances in, answers out.

This room knows no server, no database and no socket; a form author's tool or a phone simulator can use it
alone. `compile` makes an XForm from an XLSForm and refuses what is wrong in it, `definition` says what a form
asks, `measures` ties a question to the forest, `report` shows those ties to the author, `instance` reads what
a phone sent, `remeasure` makes the form that a crew takes along. `library/` holds the forms that we ship.
"""
