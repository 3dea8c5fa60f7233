//! Households and who lives in them.

use super::{
    dice::Dice,
    names,
    person::{Day, Person},
};
use archwire_core::AdministrativeSex::{self, Female, Male};

/// The year in which everybody is looked at.
const NOW: i32 = 2026;

pub(super) fn settle(dice: &mut Dice, count: usize) -> Vec<Person> {
    let mut town = Town {
        people: Vec::new(),
        households: 0,
    };
    while town.people.len() < count {
        match dice.between(0, 100) {
            0..50 => town.family(dice, true),
            50..68 => town.family(dice, false),
            68..80 => town.blended(dice),
            80..97 => town.alone(dice),
            97..99 => town.cousin(dice),
            _ => town.namesake(dice),
        }
    }
    town.people.truncate(count);
    town.people
}

struct Town {
    people: Vec<Person>,
    households: usize,
}

/// What the members of a household have in common.
struct House {
    number: usize,
    landline: Option<String>,
    guardians_mobile: String,
    email: Option<String>,
    guardians_ssn: String,
    types_guardians_ssn: bool,
    member_number: String,
    street: String,
    /// Which of the lists of other scripts the names are from.
    script: Option<usize>,
}

impl Town {
    fn house(&mut self, dice: &mut Dice, family: &str) -> House {
        self.households += 1;
        let street = dice.one(&[
            "Main Street",
            "Oak Avenue",
            "Elm Street",
            "2nd Street",
            "Maple Drive",
            "Lake Road",
        ]);
        House {
            number: self.households,
            landline: dice.in_thousand(600).then(|| phone(dice)),
            guardians_mobile: phone(dice),
            email: dice.in_thousand(750).then(|| {
                format!(
                    "{}.{}@mail.example",
                    names::without_accents(family).replace([' ', '\''], ""),
                    dice.digits(5)
                )
            }),
            guardians_ssn: ssn(dice),
            types_guardians_ssn: dice.in_thousand(150),
            member_number: format!("W{}", dice.digits(9)),
            street: format!("{} {street}", dice.between(1, 4000)),
            script: None,
        }
    }

    fn add(
        &mut self,
        dice: &mut Dice,
        house: &House,
        given: Vec<String>,
        family: &str,
        born: Day,
        sex: AdministrativeSex,
    ) -> usize {
        let is_child = NOW - born.year < 18;
        let own_mobile = if is_child {
            NOW - born.year >= 13 && dice.in_thousand(400)
        } else {
            dice.in_thousand(700)
        };
        let number = self.people.len();
        self.people.push(Person {
            number,
            household: house.number,
            given,
            family: family.to_owned(),
            suffix: None,
            former_family: None,
            born,
            sex,
            mobile: own_mobile.then(|| phone(dice)),
            shared_phones: house
                .landline
                .iter()
                .cloned()
                .chain(is_child.then(|| house.guardians_mobile.clone()))
                .collect(),
            email: house.email.clone(),
            ssn: dice
                .in_thousand(if is_child { 250 } else { 500 })
                .then(|| ssn(dice)),
            typed_ssn: (is_child && house.types_guardians_ssn).then(|| house.guardians_ssn.clone()),
            member_number: house.member_number.clone(),
            street: house.street.clone(),
            is_twin_in_name: false,
            is_unnamed: false,
            guardian: None,
        });
        number
    }

    fn change(&mut self, number: usize, change: impl FnOnce(&mut Person)) {
        if let Some(person) = self.people.get_mut(number) {
            change(person);
        }
    }

    fn parent(&mut self, dice: &mut Dice, house: &House, family: &str, sex: AdministrativeSex) -> usize {
        let given = given(dice, house.script, sex);
        let born = Day::between(dice, 1965, 1995);
        let number = self.add(dice, house, given, family, born, sex);
        let (mobile, ssn) = (house.guardians_mobile.clone(), house.guardians_ssn.clone());
        if sex == Female {
            let former = dice
                .in_thousand(600)
                .then(|| dice.one(&names::FAMILIES).to_owned());
            self.change(number, |parent| {
                (parent.mobile, parent.ssn, parent.former_family) = (Some(mobile), Some(ssn), former);
            });
        }
        number
    }

    fn family(&mut self, dice: &mut Dice, with_father: bool) {
        let script = dice.in_thousand(50).then(|| dice.place(names::SCRIPTS.len()));
        let family = match script.and_then(|script| names::SCRIPTS.get(script)) {
            Some((families, ..)) => dice.one(families),
            None => dice.one(&names::FAMILIES),
        };
        let house = House {
            script,
            ..self.house(dice, family)
        };
        let mother = self.parent(dice, &house, family, Female);
        let father = with_father.then(|| self.parent(dice, &house, family, Male));
        let mut parents = vec![(mother, "MTH")];
        parents.extend(father.map(|father| (father, "FTH")));
        self.children(dice, &house, family, &parents);
    }

    /// Two families in one house, each child with the name of its own.
    fn blended(&mut self, dice: &mut Dice) {
        let (his, hers) = (dice.one(&names::FAMILIES), dice.one(&names::FAMILIES));
        let house = self.house(dice, hers);
        let mother = self.parent(dice, &house, hers, Female);
        let father = self.parent(dice, &house, his, Male);
        let first = self.people.len();
        self.children(dice, &house, hers, &[(mother, "MTH")]);
        let second = self.people.len();
        self.children(dice, &house, his, &[(father, "FTH")]);
        // Now and then both brought a child of the same given name and sex.
        if dice.in_thousand(150)
            && let Some((given, sex)) = self
                .people
                .get(first)
                .map(|child| (child.given.clone(), child.sex))
        {
            self.change(second, |child| (child.given, child.sex) = (given, sex));
        }
    }

    fn children(&mut self, dice: &mut Dice, house: &House, family: &str, parents: &[(usize, &'static str)]) {
        for _ in 0..dice.between(1, 4) {
            let born = Day::between(dice, 2008, 2024);
            let sex = dice.one(&[false, true]);
            let sex = if sex { Female } else { Male };
            let first = self.people.len();
            if dice.in_thousand(60) {
                self.twins(dice, house, family, born, sex);
            } else {
                let given = self.new_given(dice, house, sex);
                let child = self.add(dice, house, given, family, born, sex);
                self.junior(dice, child, parents);
            }
            for child in first..self.people.len() {
                let parent = parents
                    .first()
                    .and_then(|(parent, code)| Some((self.people.get(*parent)?, *code)));
                let guardian =
                    parent.map(|(parent, code)| (parent.given.clone(), parent.family.clone(), code));
                self.change(child, |child| child.guardian = guardian);
            }
        }
    }

    /// Given names of which the first is no other child's in the house, as far as ten tries find one.
    fn new_given(&self, dice: &mut Dice, house: &House, sex: AdministrativeSex) -> Vec<String> {
        let recent = self.people.len().saturating_sub(8);
        let children = || {
            self.people
                .iter()
                .skip(recent)
                .filter(|child| child.household == house.number)
        };
        let taken = |names: &Vec<String>| children().any(|child| child.given.first() == names.first());
        let mut names = given(dice, house.script, sex);
        for _ in 0..10 {
            if !taken(&names) {
                break;
            }
            names = given(dice, house.script, sex);
        }
        names
    }

    fn junior(&mut self, dice: &mut Dice, child: usize, parents: &[(usize, &'static str)]) {
        let sex = self.people.get(child).map(|child| child.sex);
        let namesake = parents
            .iter()
            .filter_map(|(parent, _)| self.people.get(*parent))
            .find(|parent| Some(parent.sex) == sex);
        if dice.in_thousand(40)
            && let Some((given, family)) =
                namesake.map(|parent| (parent.given.clone(), parent.family.clone()))
        {
            let suffix = (sex == Some(Male)).then_some("Jr");
            self.change(child, |child| {
                (child.given, child.family, child.suffix) = (given, family, suffix)
            });
        }
    }

    fn twins(&mut self, dice: &mut Dice, house: &House, family: &str, born: Day, sex: AdministrativeSex) {
        let words = |name: &str| name.split(' ').map(str::to_owned).collect::<Vec<String>>();
        let pick = dice.between(0, 100);
        let (one, other, other_sex) = match pick {
            0..30 => {
                let (one, other) = dice.one(&names::TWINS);
                (words(one), words(other), sex)
            }
            30..45 => {
                let (one, other) = dice.one(&names::COMPOSED_TWINS);
                (words(one), words(other), sex)
            }
            45..55 => (words("Baby"), words("Baby"), sex),
            55..60 => (words("BabyGirl A"), words("BabyGirl B"), Female),
            60..80 => {
                let one = self.new_given(dice, house, sex);
                let other = std::iter::repeat_with(|| self.new_given(dice, house, sex))
                    .find(|other| other.first() != one.first());
                (one, other.unwrap_or_default(), sex)
            }
            _ => (
                self.new_given(dice, house, Female),
                self.new_given(dice, house, Male),
                Male,
            ),
        };
        let sex = if pick >= 80 { Female } else { sex };
        for (given, sex) in [(one, sex), (other, other_sex)] {
            let twin = self.add(dice, house, given, family, born, sex);
            self.change(twin, |twin| {
                (twin.is_twin_in_name, twin.is_unnamed) = (pick < 45, (45..60).contains(&pick))
            });
        }
    }

    fn alone(&mut self, dice: &mut Dice) {
        let family = dice.one(&names::FAMILIES);
        let house = self.house(dice, family);
        let sex = if dice.in_thousand(500) { Female } else { Male };
        self.parent(dice, &house, family, sex);
    }

    /// A child of another household with the name and year of birth of one who is known, and now and then with the phone
    /// of the grandmother of both.
    fn cousin(&mut self, dice: &mut Dice) {
        let place = dice.place(self.people.len());
        let Some(of) = self
            .people
            .get(place)
            .filter(|of| of.guardian.is_some() && !of.is_unnamed && !of.is_twin_in_name)
            .cloned()
        else {
            return;
        };
        let house = self.house(dice, &of.family);
        let mother = self.parent(dice, &house, &of.family, Female);
        let born = Day::between(dice, of.born.year, of.born.year + 1);
        let cousin = self.add(dice, &house, of.given, &of.family, born, of.sex);
        let guardian = self
            .people
            .get(mother)
            .map(|mother| (mother.given.clone(), mother.family.clone(), "MTH"));
        let grandmothers = dice
            .in_thousand(500)
            .then(|| of.shared_phones.first().cloned())
            .flatten();
        self.change(cousin, |cousin| {
            cousin.guardian = guardian;
            cousin.shared_phones.extend(grandmothers);
        });
    }

    /// A stranger with somebody's name, sex and day of birth.
    fn namesake(&mut self, dice: &mut Dice) {
        let place = dice.place(self.people.len());
        let Some(of) = self
            .people
            .get(place)
            .filter(|of| !of.is_unnamed && !of.is_twin_in_name)
            .cloned()
        else {
            return;
        };
        // A tenth of them: a practice knows a handful.
        if dice.in_thousand(100) {
            let house = self.house(dice, &of.family);
            self.add(dice, &house, of.given, &of.family, of.born, of.sex);
        }
    }
}

fn given(dice: &mut Dice, script: Option<usize>, sex: AdministrativeSex) -> Vec<String> {
    let pool = match script.and_then(|script| names::SCRIPTS.get(script)) {
        Some((_, girls, boys)) => {
            if sex == Female {
                girls
            } else {
                boys
            }
        }
        None if sex == Female => names::GIRLS.as_slice(),
        None => names::BOYS.as_slice(),
    };
    let second = script.is_none() && dice.in_thousand(300);
    let count = if second { 2 } else { 1 };
    (0..count).map(|_| dice.one(pool).to_owned()).collect()
}

fn phone(dice: &mut Dice) -> String {
    format!(
        "({}) {}-{}",
        dice.one(&[503, 971, 360]),
        dice.between(200, 1000),
        dice.digits(4)
    )
}

fn ssn(dice: &mut Dice) -> String {
    format!(
        "{}-{:02}-{:04}",
        dice.between(100, 660),
        dice.between(1, 100),
        dice.between(1, 10_000)
    )
}
