#pragma once

#include <stdbool.h>
#include <stdint.h>

// The screen through ncurses, as plain functions. curses.h itself stays in the C file: its macros, its variables and
// its variadic functions are nothing that Swift can take.

/// What a key press is.
typedef struct {
    /// 0: none; 1: a character, in `code`; 2: a key of its own, a `CNKey`, in `code`; 3: the mouse, which `cn_mouse` knows.
    int kind;
    uint32_t code;
} CNKeyPress;

/// The keys that are no characters.
typedef enum {
    CNKeyUp = 1,
    CNKeyDown,
    CNKeyLeft,
    CNKeyRight,
    CNKeyHome,
    CNKeyEnd,
    CNKeyPageUp,
    CNKeyPageDown,
    CNKeyBackspace,
    CNKeyDelete,
    CNKeyBackTab,
    CNKeyEnter,
    CNKeyOther,
} CNKey;

/// What a mouse does.
typedef enum {
    CNMousePress = 1,
    CNMouseWheelUp,
    CNMouseWheelDown,
} CNMouseAction;

/// What a mouse did, and where, counted from zero.
typedef struct {
    CNMouseAction action;
    int row;
    int column;
} CNMouseEvent;

/// How something is written; these can be added up.
enum {
    CNBold = 1,
    CNDim = 2,
    CNReverse = 4,
    CNUnderline = 8,
};

/// Takes the terminal over. Answers false where TERM names none that is known; nothing has changed then.
bool cn_open(void);

/// Gives the terminal back as it was.
void cn_close(void);

/// Gives the terminal back for a while, and takes it over again.
void cn_suspend(void);
void cn_resume(void);

/// How many colours the terminal has; 0 for none.
int cn_colors(void);

/// Makes colour pair `pair` one of `ink` on the terminal's own background.
void cn_define_pair(short pair, short ink);

/// Says that the terminal has this size now.
void cn_resize(int rows, int columns);

/// Writes UTF-8 at a place.
void cn_write(int row, int column, const char *text, int length, unsigned attributes, short pair);

/// Forgets what is on the terminal, so that the next refresh writes everything.
void cn_forget(void);

/// Shows the cursor at a place, or hides it where `row` is negative.
void cn_cursor(int row, int column);

/// Brings what was written to the terminal.
void cn_refresh(void);

/// Takes a key press, without waiting for one.
CNKeyPress cn_key(void);

/// Asks the terminal to tell what its mouse does, or to keep that to itself. Answers whether it can tell; that is known
/// once it was asked to.
bool cn_set_mouse(bool is_on);

/// What the mouse did, after a key press that says it did something. Answers false where that means nothing here.
bool cn_mouse(CNMouseEvent *event);

/// From now on a crash of the process gives the terminal back first: fixed bytes, the modes it had, and what went to
/// standard error meanwhile, which is in the file `errors` (-1 for none).
void cn_guard_crashes(int terminal, int errors, int real_errors);

/// Crashes do no more than before.
void cn_unguard_crashes(void);
