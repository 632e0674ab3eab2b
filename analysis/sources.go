package analysis

import "github.com/spotterhq/spotter/internal/lift"

// Source is where a rule comes from: what the article or paper asks for, in our
// own words, with its citation. It is zero for what is no rule.
func Source(rule lift.Rule) lift.Citation {
	switch rule {
	case WeeklyVolume:
		return lift.Citation{
			Kind:     "article",
			Says:     "Raise volume or load by no more than about 10 % a week when building up. It is a rule of prudence: trials in runners found no fewer injuries with it, and nothing was found for the barbell. The higher limits follow a study of single runs.",
			Citation: "Lian Park, How to Fix Lower Back Pain from Deadlifts, step 6; Buist et al. 2008; Frandsen et al. 2025, Br J Sports Med 59(17):1203",
		}
	case WeeklyLoad:
		return lift.Citation{
			Kind:     "article",
			Says:     "Raise load or volume by no more than about 10 % a week when building up. The American College of Sports Medicine speaks of 2 to 10 % of load.",
			Citation: articleStep(6),
		}
	case SessionSpike:
		return lift.Citation{
			Kind:     "literature",
			Says:     "In 5 205 runners a single run far beyond the longest of the last 30 days went with more injuries, where weekly changes did not. Barbells were not studied.",
			Citation: "Frandsen et al. 2025, Br J Sports Med 59(17):1203, doi 10.1136/bjsports-2024-109380; " + articleHabits,
		}
	case HeavyFrequency:
		return lift.Citation{
			Kind:     "article",
			Says:     "Do not suddenly deadlift heavy more often without sleep and food to match. Whether deadlifts need more recovery than other lifts is disputed.",
			Citation: articleHabits + "; Belcher et al. 2019, pubmed 30779596; Watson et al. 2017, doi 10.1249/JSR.0000000000000418",
		}
	case VelocityLoss:
		return lift.Citation{
			Kind:     "literature",
			Says:     "In the squat, stopping sets at 20 % loss gained as much strength as going on to 40 %, with far fewer reps. Limits depend on the goal: less loss for speed, more for muscle growth.",
			Citation: "Pareja-Blanco et al. 2017, Scand J Med Sci Sports, doi 10.1111/sms.12678; Hernández-Belmonte and Pallarés 2022, doi 10.3390/app12094425",
		}
	case Grind:
		return lift.Citation{
			Kind:     "literature",
			Says:     "Reps to failure end near the velocity of a one-repetition maximum, which differs between exercises and lifters.",
			Citation: "Helms et al. 2017, J Strength Cond Res, doi 10.1519/JSC.0000000000001517; Weakley et al. 2021, review of velocity-based training",
		}
	case SetDrop:
		return lift.Citation{
			Kind:     "default",
			Says:     "The smallest difference in mean velocity that a repeated test can tell is about 0.06 to 0.08 m/s.",
			Citation: "Weakley et al. 2021, review of velocity-based training; the limit of 10 % is a choice of this program",
		}
	case DaySlowdown:
		return lift.Citation{
			Kind:     "literature",
			Says:     "Velocity at a load varies by 4 to 6 % from day to day in the deadlift; only more than that speaks of fatigue.",
			Citation: "Jukic et al. 2020, J Strength Cond Res 36:1177, doi 10.1519/jsc.0000000000003608",
		}
	case RedFlag:
		return lift.Citation{
			Kind:     "literature",
			Says:     "Numbness of the saddle, loss of bladder or bowel control, symptoms in both legs, growing weakness, injury, fever, weight loss, night pain or sudden severe pain need medical assessment before any training.",
			Citation: "AHCPR guideline on acute low back problems, table of red flags (NCBI NBK52120); Am Fam Physician 2012;85(4):343; Lian Park, How to Fix Lower Back Pain from Deadlifts, step 2",
		}
	case Radicular:
		return lift.Citation{
			Kind:     "article",
			Says:     "Pain that shoots down a limb, numbness and tingling are a matter for a medical assessment, not for the training plan.",
			Citation: articleStep(1),
		}
	case Inflammatory:
		return lift.Citation{
			Kind:     "literature",
			Says:     "Back pain for three months with stiffness of over half an hour that improves with exercise and not with rest suggests inflammation.",
			Citation: "Sieper et al. 2009, Ann Rheum Dis (ASAS experts); " + articleStep(1),
		}
	case PainZone:
		return lift.Citation{
			Kind:     "literature",
			Says:     "Training with some pain is acceptable while it stays at 5 of 10 or less, settles by the next morning and does not grow from week to week. Shown for the Achilles tendon; nobody has tested it for backs.",
			Citation: "Silbernagel et al. 2007, Am J Sports Med, doi 10.1177/0363546506298279; Lian Park, How to Fix Lower Back Pain from Deadlifts, step 6",
		}
	case Hold:
		return lift.Citation{
			Kind:     "article",
			Says:     "After such pain heavy deadlifts pause for one to two weeks, while easy movement goes on. Whether rest beats training within the pain is disputed.",
			Citation: articleStep(2) + "; Silbernagel et al. 2007, Am J Sports Med, doi 10.1177/0363546506298279",
		}
	case PainPersistence:
		return lift.Citation{
			Kind:     "article",
			Says:     "Pain that outlasts four to six weeks of sensible measures is worth a professional's look.",
			Citation: articleStep(7) + "; Pengel et al. 2003, BMJ 327:323",
		}
	case ReturnPlan:
		return lift.Citation{
			Kind:     "article",
			Says:     "First regressions and capacity, then light Romanian deadlifts and technique, then moderate loads at reduced volume; a heavy single only without pain and with stable technique. The numbers are choices of this program.",
			Citation: articlePlan,
		}
	case Tempo:
		return lift.Citation{
			Kind:     "article",
			Says:     "Building up again begins with lighter loads, more reps and a slower tempo. The seconds are choices of this program.",
			Citation: articleStep(6),
		}
	case WarmUp:
		return lift.Citation{
			Kind:     "article",
			Says:     "Warm up with hinge patterns and rising sets before heavy lifts. The numbers are choices of this program.",
			Citation: articleHabits,
		}
	case Accessory:
		return lift.Citation{
			Kind:     "article",
			Says:     "Accessory work for the posterior chain belongs into every week.",
			Citation: articleHabits,
		}
	case Technique:
		return lift.Citation{
			Kind:     "article",
			Says:     "A neutral spine, hips and shoulders that rise together and a bar close to the shins are what to check. The limits are choices of this program.",
			Citation: articleStep(3) + "; Aasa et al. 2019, doi 10.1080/14763141.2019.1675751",
		}
	case Device:
		return lift.Citation{
			Kind:     "default",
			Says:     "A sensor that cannot be believed must not raise an alert about a lifter.",
			Citation: "A choice of this program",
		}
	}
	return lift.Citation{}
}

// slowDeadlifts is the source of velocity-loss for the deadlift family, whose sets
// slow down less than others.
var slowDeadlifts = lift.Citation{
	Kind:     "literature",
	Says:     "Deadlift sets taken to fatigue lost only about 0.1 to 0.15 m/s, so the limits of other lifts would never be reached. The fastest rep is often not the first. The limits of 15 % and 20 % are inferred from this.",
	Citation: "Beck et al. 2020, J Strength Cond Res, doi 10.1519/jsc.0000000000003786; Jukic et al. 2022, Sports Health, PMC10170227",
}
